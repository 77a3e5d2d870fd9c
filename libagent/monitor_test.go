package libagent_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// The server sees of each limit what holds it, or why nothing does.
func TestReportTellsOfLimits(t *testing.T) {
	reports := make(chan wire.AgentInfoPayload, 1)
	srv := newServer(t, func(s *session) {
		s.accept()
		f, err := s.Receive()
		if err != nil {
			t.Error(err)
			return
		}
		p, err := wire.AgentInfo.Decode(f)
		if err != nil {
			t.Error(err)
		}
		reports <- p
		s.drain()
	})
	const quota = 1 << 20 // percent of a core: no host has so many
	ag := start(t, srv, &testApp{}, func(_ *libagent.Options, c *testConf) { c.Limit.CPUQuota = quota })
	p := <-reports
	ag.end(srv)
	if len(p.Limits) != 1 || p.Limits[0].Limit != "cpu_quota" || p.Limits[0].Want != quota || p.Limits[0].Mechanism == "" {
		t.Errorf("limits: %+v", p.Limits)
	}
}
