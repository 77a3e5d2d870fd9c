// Package metrics is the part of the server for agents that report what their hosts are and do: calls of the API that ask them.
package metrics
