package libagent

import (
	"os"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/internal/daemon"
)

// locate finds what a running agent has made of a path in its config: whoever asks need not stand where the agent does.
func locate(path, conf string) string {
	if filepath.IsAbs(path) {
		return path
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return filepath.Join(daemon.Home(conf), path)
}
