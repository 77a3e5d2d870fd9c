package files

import (
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/spool"
)

// NewWithout makes the feature without a server, for downloads from a fleet; leave gives back what it holds.
func NewWithout(fleet server.Fleet, dir string) (f *Files, leave func() error) {
	f = New(Config{})
	f.cfg = f.settings.withDefaults()
	f.fleet = fleet
	f.spool = spool.New(func() (string, error) { return dir, nil }, f.cfg.Disk)
	f.places = make(chan struct{}, f.cfg.Transfers)
	return f, f.spool.Close
}
