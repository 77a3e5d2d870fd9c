package libagent_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

// The server sees of each limit what holds it, or why nothing does.
func TestReportTellsOfLimits(t *testing.T) {
	srv := newServer(t, nil)
	const quota = 1 << 20 // percent of a core: no host has so many
	start(t, srv, &testApp{}, func(_ *libagent.Options, c *testConf) { c.Limit.CPUQuota = quota })
	p := agenttest.Wait(srv.Accept(), wire.AgentInfo)
	if len(p.Limits) != 1 || p.Limits[0].Limit != "cpu_quota" || p.Limits[0].Want != quota || p.Limits[0].Mechanism == "" {
		t.Errorf("limits: %+v", p.Limits)
	}
}
