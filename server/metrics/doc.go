// Package metrics is the part of the server for agents that report what their hosts are and do: calls of the API that ask them,
// every host's usage among the metrics of the server, and sinks that get all reports.
//
// Reports go through the journal of the server to each sink: [Latest], which has the metrics, and [Lines], a file of JSON lines.
// Each is given the next ones when it has taken those before, so that a slow one loses nothing and holds up no other. A program
// adds sinks of its own with [server.Attach] and [Types].
package metrics
