// Package daemon makes a program a service of its host: the commands install, uninstall, start, stop and restart, for systemd,
// Upstart, OpenRC, System V, launchd and Windows, and what a service must know of where it runs. Agents and the server share it, so
// that an operator does the same with both.
//
// A service runs as a user of its own, which install makes, and which owns what the program writes and nothing else.
package daemon
