// Command serve prints its version, and has no manifest.
package main

var version = "0.0.0"

func main() { println(version) }
