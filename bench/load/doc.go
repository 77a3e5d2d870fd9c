// Package load puts a server under the load of a fleet, and measures what it costs. Agents are simulated by little more than
// their sockets, in worker processes of their own, from several loopback addresses; servers run as processes of their own too:
// the agent-server that operators run, and peers that do the same work with as little as possible, in the same run. Command
// load is its command line, and `make bench` writes what it finds into docs/performance.md.
package load
