// Package features lists the parts that the program agent-server is made of, beside package server itself.
package features

import (
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/metrics"
)

// All returns the features of agent-server, each with its defaults.
func All() []server.Feature { return []server.Feature{metrics.New()} }
