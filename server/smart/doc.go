// Package smart answers the calls of the older dialect, at the root of the API: /server, /host, /cmd, /file and /layout. It is a
// [server.Feature] that stands on those for commands, files and layouts. Every answer has the HTTP status 200 and says in its
// body whether the call has worked, save for the calls whose answer is a file or an output. Parameters come in the query or as
// a form, with any method.
//
// A layout of this dialect is a tar with a file main.yaml: tasks that are done on each node one after the other.
package smart
