// Package build says what a program was built from, for the command version of agents and of the server.
package build
