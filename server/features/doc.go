// Package features lists the parts that the program agent-server is made of, beside package server itself. Whoever builds a
// server of his own takes them all, or makes those that he wants from their packages: each is a [server.Feature].
package features
