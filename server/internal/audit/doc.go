// Package audit keeps a log of who did what, which shows when somebody has changed it.
//
// A line is one JSON object. It holds the hash of the line before it, and its own hash at its end; so a line that was
// changed, taken out or put in breaks the chain from there on, and [Verify] says where. What the chain cannot show is that
// the end was cut off, or that somebody wrote all of it anew: for that, keep the last number and hash elsewhere, and give
// them to Verify.
//
// [Log.Append] returns when a line is on the disk. Lines that come at once share one flush. A log that cannot be written
// is an error for whoever wants a line in it, and heals by itself once the disk takes lines again.
//
// The log is a row of files, each named by the number of its first line. Old ones are removed by size and age, which is a
// line of its own. Another process puts lines into the inbox, a folder that the server empties: see [Post].
package audit
