// Command metrics-agent reports what its host is and does: hardware, usage, processes, connections and temperatures.
package main

import "github.com/jkstack/jkframe/v2/libagent"

// version is set when a release is built.
var version = "0.0.0"

func main() { libagent.Main(&app{}) }
