// Package exec runs commands and scripts on agents. It is a [server.Feature]: [New] makes one from a [Config], which goes into
// [server.Config.Features], and it answers /api/exec and /api/script.
//
// A program that has the server within itself can use it directly: [Commands.Start] runs a command on an agent and returns a
// [Task] as soon as the agent has said that it runs. A task goes on when nobody waits for it, when the connection of its agent
// is lost, and after that: its output and its end arrive when the agent is back. Output is kept in memory and on disk, may be
// read more than once and by several readers side by side, and is bounded, as are the number of tasks and their age.
package exec
