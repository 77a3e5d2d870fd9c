// Package manifestcheck holds an agent's form against its config: the struct, its defaults, and the file that is shipped. The
// tests of the examples use it.
package manifestcheck
