// Package l2cache compares jkframe's Queue with its peers: disk queues, logs and stores used as a queue. Records of three sizes
// are put by one and by 64 goroutines, with and without a sync, and taken out again, in one run; and each peer's process is
// killed, and its files are damaged, to see what is left. What one write for each record, and a bare group commit, do on the same
// disk shows how far it could be taken. Beside it, jkframe's Buffer and what copies the same bytes in memory.
package l2cache
