// Command example-agent is the smallest useful agent: it answers the request foo, and greets its log now and then.
package main

import "github.com/jkstack/jkframe/v2/libagent"

// version is set when a release is built.
var version = "0.0.0"

func main() { libagent.Main(app{}) }
