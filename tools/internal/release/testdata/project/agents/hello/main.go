// Command hello prints its version.
package main

var version = "0.0.0"

func main() { println(version) }
