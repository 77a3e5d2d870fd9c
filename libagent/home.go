package libagent

import (
	"os"
	"path/filepath"
)

// homeOf returns the folder of an agent: the one above conf, in which its config file is, else that of the file. A service runs
// in it, and relative paths of the config are taken from there then.
func homeOf(conf string) string {
	dir := filepath.Dir(conf)
	if filepath.Base(dir) == "conf" {
		return filepath.Dir(dir)
	}
	return dir
}

// locate finds what a running agent has made of a path in its config: whoever asks need not stand where the agent does.
func locate(path, conf string) string {
	if filepath.IsAbs(path) {
		return path
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return filepath.Join(homeOf(conf), path)
}
