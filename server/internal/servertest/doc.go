// Package servertest runs a server with features inside a test, and agents of the field that say what the test wants. It is
// for tests alone.
package servertest
