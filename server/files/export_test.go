package files

import (
	"context"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/spool"
)

// NewWithout makes the feature without a server, for downloads from a fleet; leave gives back what it holds.
func NewWithout(fleet server.Fleet, dir string) (f *Files, leave func() error) {
	f = New(Config{})
	f.cfg = f.settings.withDefaults()
	f.fleet = fleet
	f.spool = spool.New(func() (string, error) { return dir, nil }, f.cfg.Disk)
	f.places = newPlaces(f.cfg.Transfers)
	return f, f.spool.Close
}

// Places takes one of n places for transfers.
func Places(n int) (enter func(context.Context) (leave func(), err error)) { return newPlaces(n).enter }
