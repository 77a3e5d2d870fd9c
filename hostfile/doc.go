// Package hostfile lists, reads and writes files of this host for somebody who is not trusted with all of it.
//
// An [Access] names the folders: nothing outside is reached, through links or otherwise, even while somebody on the host changes
// what is in them ([os.Root] sees to that). What is not a file (devices, pipes, sockets, folders) is refused with words.
//
// A file is written whole or not at all: [Access.Create] writes to a temporary file beside the target, [Writer.Commit] checks its size
// and sums, sets owner and mode, brings it to the disk and puts it in place in one step. Until then, and after any failure, the
// old file is there as it was. A file is read as it was when it was opened: [Access.Open] gives a [Reader] that ends in
// [ErrChanged] when it grows, shrinks or changes meanwhile.
//
// All methods may be called by any goroutine; a Reader or Writer is for one at a time. Memory does not depend on the sizes of files.
package hostfile
