// Package faultfs is a file system for tests whose writes and syncs fail when they are told to, with the error of a disk that
// dies: what no tmpfs and no full disk can show. It is FUSE, so it needs Linux, root and /dev/fuse.
package faultfs
