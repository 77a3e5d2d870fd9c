// Package policy decides what may happen on a host that takes orders from afar: which commands may run, as whom, and which
// folders files may be read from and written to. It is a file on that host, which its owner writes, and which whoever gives the
// orders cannot change.
//
// A [Source] reads the file again whenever it has changed, so that an edit holds from the next order on. Without a file, with one
// that cannot be read as a whole, or with one that others may write to, everything is refused, with words that name the file.
// [Init] writes one to begin with.
//
// # What a list of commands can do
//
// exec.allow with names of programs keeps to these programs and nothing else, as far as the programs themselves do: one that starts
// others on request (a shell, an editor, tar, find) allows everything. exec.deny is a guard rail against accidents, not a wall: there is
// always another way to say the same.
package policy
