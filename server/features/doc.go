// Package features lists the parts that the program agent-server is made of, beside package server itself.
package features

import "github.com/jkstack/jkframe/v2/server"

// All returns the features of agent-server, each with its defaults.
func All() []server.Feature { return nil }
