package features

import (
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/layout"
	"github.com/jkstack/jkframe/v2/server/metrics"
	"github.com/jkstack/jkframe/v2/server/smart"
)

// All returns the features of agent-server, each with its defaults.
func All() []server.Feature {
	f := files.New(files.Config{})
	c := exec.New(exec.Config{}, f)
	l := layout.New(layout.Config{}, c, f)
	return []server.Feature{metrics.New(metrics.Config{}), f, c, l, smart.New(smart.Config{}, c, f, l)}
}
