package daemon

import "path/filepath"

// Home returns the folder of a program: the one above conf, in which its config file is, else that of the file. A service runs in
// it, and relative paths of the config are taken from there then.
func Home(conf string) string {
	dir := filepath.Dir(conf)
	if filepath.Base(dir) == "conf" {
		return filepath.Dir(dir)
	}
	return dir
}
