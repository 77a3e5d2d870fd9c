// Package logging compares jkframe's logging with its peers: the same line of five attributes, to a file that rotates at
// the same size with the same number of files kept, in one run.
package logging
