//go:build !linux && !windows

package limit

// host has nothing to hold limits with.
type host struct {
	name string
}

func (h *host) apply(c Config) []Result {
	return c.results(errNoMechanism.Error())
}

func (h *host) release() error { return nil }
