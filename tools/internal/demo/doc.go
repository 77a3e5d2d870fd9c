// Package demo shows the project at work on one machine: it builds the server and the agents, starts them as processes of their
// own with the config files of the tree, asks the server for what it knows of them, and stops them again.
//
// Whatever they write goes into a temporary folder, which is removed in the end: the tree stays as it was.
package demo
