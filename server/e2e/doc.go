// Package e2e holds the tests of agents and server together: built programs, real sockets, killed processes.
package e2e
