package metrics

import "github.com/jkstack/jkframe/v2/server"

// agentType is the type of the agents that are asked.
const agentType = "metrics-agent"

// Feature is the part of the server.
type Feature struct{}

var _ server.Feature = (*Feature)(nil)

// New returns the feature.
func New() *Feature { return &Feature{} }

// Name implements [server.Feature].
func (f *Feature) Name() string { return "metrics" }

// Attach implements [server.Feature].
func (f *Feature) Attach(h *server.Host) error {
	registerAsk(h)
	registerStatus(h)
	registerSmart(h)
	return nil
}
