// Package layout does something on many agents in groups: group after group, and inside a group side by side, bounded. It is a
// [server.Feature]: [New] makes one from a [Config], which goes into [server.Config.Features], and it answers /api/layout, which
// runs a script on many agents.
//
// A program that has the server within itself can have anything done: [Layouts.Start] takes a [Plan] with a function for one
// node, and returns a [Run], which says how each node stands and can be cancelled.
package layout
