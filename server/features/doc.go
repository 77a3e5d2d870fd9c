// Package features lists the parts that the program agent-server is made of, beside package server itself.
package features

import (
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/metrics"
)

// All returns the features of agent-server, each with its defaults.
func All() []server.Feature {
	f := files.New(files.Config{})
	return []server.Feature{metrics.New(), f, exec.New(exec.Config{}, f)}
}
