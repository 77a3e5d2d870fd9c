// Command exec-agent runs commands and moves files on its host, within the policy that the host's owner has written.
package main

import "github.com/jkstack/jkframe/v2/libagent"

// version is set when a release is built.
var version = "0.0.0"

func main() { libagent.Main(&app{}) }
