// Package l2cache holds what a program has no room for in memory: a [Queue] of records that waits for a peer, for hours and
// through crashes if it must, and a [Buffer] of bytes that somebody writes faster than others read.
//
// # Buffer
//
// [NewBuffer] makes a FIFO of bytes, in memory up to a limit and on disk beyond, bounded: for the output of a command, or a
// transfer. [Buffer.Read] takes bytes out; any number of a [BufferReader] follow who writes, each at its own offset, until
// [Buffer.Truncate] gives the oldest bytes back. What is on disk is in the folder of a [Spool], which one process owns: the files
// are gone when the buffer is closed, and those that a crash has left when the spool is opened again.
//
// # Queue
//
// [OpenQueue] opens a queue in a folder of its own. [Queue.Put] returns when the record is as safe as the configuration asks for:
// in the kernel, where kill -9 does not reach it, or on the disk. [Queue.Peek] gives the oldest record, as often as it is asked,
// until [Queue.Ack] lets go of it; a [Reader] reads from any sequence on and lets go of nothing, so that what was sent and
// not acknowledged can be sent again.
//
// Records have sequences that go on from one opening to the next. Only a loss of power can take the last records, and then, if
// the queue did not sync, their sequences are given again; therefore every opening is a [Run] with a name of its own, and
// (run, sequence) is never given again.
//
// A volatile queue is for what need not outlive the process: it is in memory, and on disk beyond.
//
// # On disk
//
// Records are in segments, files that begin with a header and are removed when all that they have is acknowledged; at most
// one is left of a queue that is drained. Each record has a length, its sequence and a checksum with a salt. A tail that a crash
// has torn is cut, and a turned byte costs one record: its bytes are set aside in a file, the loss is reported, and the queue goes
// on behind it. A queue always opens, unless the system keeps it from using the folder at all, and reads no more of it then than what was
// put in the 10 ms before a crash; what is damaged before that is found when it is read. On Linux, a file that is synced for each Put
// gets room ahead, 1 MiB at a time and within the bound, which makes a sync faster; it is given back when the file is full or closed.
//
// # Faults
//
// When the disk is full, fails, is read-only, or somebody removes files or the folder, Put returns what is wrong, what was
// accepted stays, nothing is there that was not accepted, and the next Put tries again: nobody has to open the queue anew.
// [Stats] has the fault that lasts. What a failed sync may have cost that was accepted before ([SyncInterval]) is written again from
// memory. A file or folder that is removed while the queue is open is noticed within 10 ms of a Put; what was
// in the file that is written to is then written again, into a new folder if need be.
package l2cache
