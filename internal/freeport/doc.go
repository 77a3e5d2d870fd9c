// Package freeport finds addresses of loopback for programs that a test or a benchmark starts, where a listener of its own, with port
// 0, cannot be: because the address stands in a config file, or because the program is killed and started again.
package freeport
