// Package agent measures the smallest agent as an operator of many machines sees it: the size of its program, and of the
// process the memory, the CPU time of a minute and the time from its start to its handshake.
package agent
