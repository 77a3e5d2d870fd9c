package server_test

import (
	"crypto/tls"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// sealedAgent is an agent that has shaken hands over TLS, of which only the socket is left.
func sealedAgent(t testing.TB, f *fleet, h *host) socket {
	t.Helper()
	raw, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, h.tls())
	upgraded(t, c)
	writeFrame(t, c, 1, fmt.Sprintf(`{"type":1,"come":{"id":%q,"name":"exec-agent","version":"0.0.0","ip":"127.0.0.1",`+
		`"mac":"02:00:c0:00:02:0a","host_name":"host-01","os":"linux","platform":"debian","platform_version":"12.11",`+
		`"kernel_version":"6.18.44","arch":"x86_64","cpu":"AMD EPYC","cpu_core":2,"memory":25276502016}}`, h.id))
	if _, text := readFrame(t, c); !strings.Contains(text, `"ok":true`) {
		t.Fatalf("handshake: %s", text)
	}
	return keep(t, raw)
}

// An idle agent over TLS, with a certificate, may cost 24 kB: what its operator pays for a large fleet.
func TestIdleSealedAgentIsCheap(t *testing.T) {
	const agents, most = 300, 24 << 10
	f := startFleet(t, server.Config{ConnectLimit: -1})
	token := f.enrolToken(t, "--uses", fmt.Sprint(agents+1))
	hosts := make([]*host, agents+1)
	for i := range hosts {
		hosts[i] = newHost(t)
		if status := f.enrol(t, hosts[i], token, fmt.Sprintf("host-%05d", i)); status != 200 {
			t.Fatalf("status %d", status)
		}
	}
	first := sealedAgent(t, f, hosts[agents])
	goroutines, before := runtime.NumGoroutine(), inUse()
	var sockets [agents]socket
	for i := range sockets {
		sockets[i] = sealedAgent(t, f, hosts[i])
	}
	each := (int(inUse()) - int(before)) / agents
	t.Logf("%d bytes of heap and stack for each of %d idle agents over TLS", each, agents)
	if each > most && !raceDetector {
		t.Errorf("an idle agent over TLS costs %d bytes, at most %d are allowed", each, most)
	}
	if n := runtime.NumGoroutine() - goroutines; n > agents+20 {
		t.Errorf("there are %d goroutines for %d idle agents", n, agents)
	}
	runtime.KeepAlive(hosts)
	for _, s := range append(sockets[:], first) {
		s.close(t)
	}
	waitFor(t, f.fixture, "agent_count", "0")
}
