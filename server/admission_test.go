package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
)

// knock asks for a connection in a way that is never granted: it is let in (400) or told when to come again.
func knock(t testing.TB, h http.Handler) (wait time.Duration, admitted bool) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), "GET", "/ws/agent", nil))
	switch rec.Code {
	case http.StatusBadRequest:
		return 0, true
	case http.StatusServiceUnavailable:
		seconds, err := strconv.Atoi(rec.Header().Get("Retry-After"))
		if err != nil || seconds < 1 {
			t.Errorf("Retry-After %q: %v", rec.Header().Get("Retry-After"), err)
		}
		if rec.Header().Get("Connection") != "close" {
			t.Error("a refused client keeps its connection")
		}
		return time.Duration(seconds) * time.Second, false
	default:
		t.Errorf("status %d", rec.Code)
		return 0, true
	}
}

// Ten thousand agents whose server comes back all connect at once: it takes as many as it may, and the others come
// again when there is room for them, neither together nor much later than they could.
func TestConnectLimitSpreadsCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, clients = 2000, 10_000
		f := startInMemory(t, server.Config{ConnectLimit: limit})
		h := f.AgentHandler()
		var (
			mu       sync.Mutex
			admitted = make(map[time.Duration]int) // by second
			knocks   int
			all      sync.WaitGroup
		)
		began := time.Now()
		for range clients {
			all.Go(func() {
				for {
					wait, ok := knock(t, h)
					mu.Lock()
					knocks++
					if ok {
						admitted[time.Since(began).Truncate(time.Second)]++
					}
					mu.Unlock()
					if ok {
						return
					}
					time.Sleep(wait)
				}
			})
		}
		synctest.Wait()
		if !isBlocking(t, f) {
			t.Error("while clients are told to wait, the server does not say so")
		}
		all.Wait()
		for second, n := range admitted {
			if n > limit {
				t.Errorf("%d clients admitted at %v, at most %d may be", n, second, limit)
			}
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("the last of %d clients came in after %v: %v", clients, took, admitted)
		}
		if knocks > 3*clients {
			t.Errorf("%d clients had to knock %d times", clients, knocks)
		}
		time.Sleep(time.Minute)
		if isBlocking(t, f) {
			t.Error("the server still says that it refuses agents")
		}
	})
}

func isBlocking(t testing.TB, f *fixture) bool {
	t.Helper()
	_, body := f.request(t, "GET", "/api/info/server")
	var answer struct {
		Payload struct {
			IsBlocking *bool `json:"is_blocking"`
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Payload.IsBlocking == nil {
		t.Fatalf("%s: %v", body, err)
	}
	return *answer.Payload.IsBlocking
}

// However long the queue, nobody is told to come again next week, nor all at the same time.
func TestConnectLimitBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{ConnectLimit: 1})
		h := f.AgentHandler()
		waits := make(map[time.Duration]int)
		for range 1000 {
			if wait, ok := knock(t, h); !ok {
				waits[wait]++
			}
		}
		for wait, n := range waits {
			if wait > 75*time.Second || n > 100 {
				t.Errorf("%d clients are told to come after %v", n, wait)
			}
		}
		for wait := 38 * time.Second; wait < 60*time.Second; wait += time.Second { // where chance puts 30 a second
			if waits[wait] == 0 {
				t.Errorf("nobody is told to come after %v: %v", wait, waits)
			}
		}
		if got := f.metric(t, `agent_server_connects_refused_total{reason="limit"}`); got != "999" {
			t.Errorf("%q refused connects counted, want 999", got)
		}
	})
}

func TestNoConnectLimit(t *testing.T) {
	f := start(t, server.Config{ConnectLimit: -1})
	h := f.AgentHandler()
	for range 10_000 {
		if wait, ok := knock(t, h); !ok {
			t.Fatalf("told to wait for %v without a limit", wait)
		}
	}
}
