package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

func comeFrame(id string) string {
	return fmt.Sprintf(`{"type":1,"come":{"id":%s,"name":"exec-agent","version":"0.0.0"}}`, id)
}

// An agent that is refused without a word that says why keeps its operator guessing.
func TestHandshakeRefused(t *testing.T) {
	f := start(t, server.Config{})
	for _, tt := range []struct {
		name, frame string
		msg         string // how the answer begins
		result      string // label of the metric
	}{
		{"not JSON", "hello", "first message: wire: invalid JSON", "bad_frame"},
		{"empty", "", "first message: wire: invalid JSON", "bad_frame"},
		{"no type", `{"come":{}}`, "first message: wire: no type", "bad_frame"},
		{"deep", `{"type":1,"come":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`, "first message: wire: ", "bad_frame"},
		{"report first", `{"type":7,"ai":{"v":"1"}}`, "first message must be come (type 1), not type 7", "no_come"},
		{"handshake first", `{"type":2,"handshake":{"ok":true}}`, "first message must be come (type 1), not type 2", "no_come"},
		{"no come", `{"type":1}`, "first message: wire: come (1): come: no payload", "bad_come"},
		{"come null", `{"type":1,"come":null}`, "first message: wire: come (1): come: no payload", "bad_come"},
		{"come of a wrong kind", `{"type":1,"come":[]}`, "first message: wire: come (1): come: wrong kind", "bad_come"},
		{"id of a wrong kind", `{"type":1,"come":{"id":5}}`, "first message: wire: come (1): come.id: wrong kind", "bad_come"},
		{"huge number", `{"type":1,"come":{"id":"x","memory":1e999}}`, "first message: wire: come (1): come.memory: ", "bad_come"},
		{"slash", comeFrame(`"a/b"`), `agent id holds '/'`, "bad_id"},
		{"backslash", comeFrame(`"a\\b"`), `agent id holds '\\'`, "bad_id"},
		{"parent", comeFrame(`"a..b"`), `agent id holds ".."`, "bad_id"},
		{"this folder", comeFrame(`"."`), `agent id holds ".."`, "bad_id"},
		{"blank", comeFrame(`"a b"`), `agent id holds ' '`, "bad_id"},
		{"only a blank", comeFrame(`" "`), `agent id holds ' '`, "bad_id"},
		{"newline", comeFrame(`"a\nb"`), `agent id holds '\n'`, "bad_id"},
		{"NUL", comeFrame(`"a\u0000b"`), `agent id holds '\x00'`, "bad_id"},
		{"escape", comeFrame(`"a\u001b[31mb"`), `agent id holds '\x1b'`, "bad_id"},
		{"right to left", comeFrame(`"a\u202eb"`), `agent id holds '\u202e'`, "bad_id"},
		{"256 bytes", comeFrame(`"` + strings.Repeat("x", 256) + `"`), "first message: wire: come (1): come.id: too long", "bad_come"},
		{"long name", `{"type":1,"come":{"id":"x","name":"` + strings.Repeat("x", 256) + `"}}`, "first message: wire: come (1): come.name: too long", "bad_come"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			series := `agent_server_handshakes_total{result="` + tt.result + `"}`
			before := f.metric(t, series)
			c := f.connect(t, conn.Options{})
			sendRaw(t, c, tt.frame)
			h := handshakeOf(t, c)
			if h.OK || h.ID != "" || !strings.HasPrefix(h.Msg, tt.msg) {
				t.Errorf("answer %+v, want a refusal that begins %q", h, tt.msg)
			}
			if bye := closed(t, c); bye.Code != conn.CodePolicy {
				t.Errorf("closed with %v, want 1008", bye)
			}
			if after := f.metric(t, series); after == before {
				t.Errorf("%s is still %q", series, after)
			}
		})
	}
	if agents, err := f.List(t.Context(), server.Filter{}); err != nil || len(agents) != 0 {
		t.Errorf("agents %v, %v, want none", agents, err)
	}
}

// Ids that are in use today must be taken.
func TestHandshakeIDs(t *testing.T) {
	f := start(t, server.Config{})
	for _, id := range []string{
		"a", "host-01.example.com", "$HOSTNAME", "主机-01", "a%20b", `"quoted"`, "a.b", ".x", strings.Repeat("x", 255),
	} {
		c := f.connect(t, conn.Options{})
		if h := shake(t, c, come(id, "exec-agent")); !h.OK || h.ID != id || h.Msg != "" || h.Redirect != nil {
			t.Errorf("id %q: %+v", id, h)
		}
		if a, err := f.Get(t.Context(), id); err != nil || a.HostName != "host-01" {
			t.Errorf("Get(%q) = %+v, %v", id, a, err)
		}
	}
}

func TestHandshakeAssignsID(t *testing.T) {
	f := start(t, server.Config{})
	pattern := regexp.MustCompile(`^agent-` + time.Now().Format("2006") + `\d{4}-[0-9a-f]{16}$`)
	seen := make(map[string]bool)
	for range 10 {
		c := f.connect(t, conn.Options{})
		h := shake(t, c, come("", "exec-agent"))
		if !h.OK || !pattern.MatchString(h.ID) || seen[h.ID] {
			t.Errorf("answer %+v, seen %v", h, seen)
		}
		seen[h.ID] = true
		if _, err := f.Get(t.Context(), h.ID); err != nil {
			t.Errorf("Get(%q): %v", h.ID, err)
		}
	}
}

// Agents of the field read these very bytes: ok, id and msg are always there.
func TestHandshakeBytes(t *testing.T) {
	f := start(t, server.Config{})
	for _, tt := range []struct {
		name   string
		opcode byte
		frame  string
		want   string
	}{
		{"text", 1, comeFrame(`"x"`), `{"type":2,"handshake":{"ok":true,"id":"x","msg":""}}`},
		{"conflict", 1, comeFrame(`"x"`), `{"type":2,"handshake":{"ok":false,"id":"","msg":"agent id conflict"}}`},
		{"binary", 2, comeFrame(`"y"`), `{"type":2,"handshake":{"ok":true,"id":"y","msg":""}}`},
		{"line feed", 1, comeFrame(`"z"`) + "\n", `{"type":2,"handshake":{"ok":true,"id":"z","msg":""}}`},
	} {
		c := upgrade(t, f)
		writeFrame(t, c, tt.opcode, tt.frame)
		if opcode, text := readFrame(t, c); opcode != 1 || text != tt.want {
			t.Errorf("%s: answer %d %s, want %s", tt.name, opcode, text, tt.want)
		}
		defer c.Close()
	}
}

func TestHandshakeTooBig(t *testing.T) {
	f := start(t, server.Config{})
	c := f.connect(t, conn.Options{})
	sendRaw(t, c, comeFrame(`"`+strings.Repeat("x", 1<<20)+`"`))
	if bye := closed(t, c); bye.Code != conn.CodeTooBig {
		t.Errorf("closed with %v, want 1009", bye)
	}
}

// After the handshake messages may be larger than before it.
func TestLargeMessageAfterHandshake(t *testing.T) {
	f := start(t, server.Config{})
	c := f.agent(t, "x", "exec-agent")
	sendRaw(t, c, `{"type":77,"data":"`+strings.Repeat("x", 1<<20)+`"}`)
	send(t, c, wire.AgentInfo, "", wire.AgentInfoPayload{Version: "9"})
	waitFor(t, f, `agent_version{go_version="",id="x",version="9"}`, "1")
}

// An agent that had crashed says so when it comes back: the log shows how, and a counter that it was.
func TestHandshakeTellsOfCrash(t *testing.T) {
	f := start(t, server.Config{})
	c := f.connect(t, conn.Options{})
	sendRaw(t, c, `{"type":1,"come":{"id":"x","crash":{"at":"2026-11-20T09:00:00Z","text":"panic: lost\n\u001b[31mgoroutine 1"}}}`)
	waitFor(t, f, "agent_server_agent_crashes_total", "1")
	if !strings.Contains(f.logs.String(), `level=WARN msg="agent had crashed" id=x at=2026-11-20T09:00:00.000Z text="panic: lost\n\x1b[31mgoroutine 1"`) {
		t.Error("the log does not tell of the crash")
	}
}

// waitFor waits until the server has handled what was sent to it: the series has the value.
func waitFor(t testing.TB, f *fixture, series, value string) {
	t.Helper()
	for f.metric(t, series) != value {
		if t.Context().Err() != nil {
			t.Fatalf("%s is %q", series, f.metric(t, series))
		}
	}
}

// An agent that does not take the answer to come has not come: whoever calls it meanwhile is told.
func TestHandshakeAnswerNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c := upgrade(t, f)
		writeFrame(t, c, 1, comeFrame(`"x"`))
		synctest.Wait() // the server writes its answer, which nobody reads
		errs := make(chan error)
		go func() {
			_, err := call(context.Background(), f, "x", "")
			errs <- err
		}()
		synctest.Wait()
		c.Close()
		wantErr(t, <-errs, server.ErrGone)
		synctest.Wait()
		if n := f.metric(t, `agent_server_handshakes_total{result="lost"}`); n != "1" {
			t.Errorf("%q lost handshakes counted, want 1", n)
		}
		_, err := f.Get(context.Background(), "x")
		wantErr(t, err, server.ErrNotFound)
	})
}

// Whoever connects and says nothing, or next to nothing, must not keep his place.
func TestHandshakeTimeout(t *testing.T) {
	for _, tt := range []struct {
		name  string
		every time.Duration // between two bytes of the first message, 0 for silence
	}{
		{"silent", 0},
		{"one byte every 5 s", 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := startInMemory(t, server.Config{})
				c := upgrade(t, f)
				defer c.Close()
				began := time.Now()
				stop := make(chan struct{})
				trickled := make(chan struct{})
				go func() {
					defer close(trickled)
					trickle(c, comeFrame(`"x"`), tt.every, stop)
				}()
				opcode, text := readFrame(t, c)
				if took := time.Since(began); opcode != 8 || !strings.Contains(text, "no handshake") || took != time.Minute {
					t.Errorf("frame %d %q after %v, want a goodbye after a minute", opcode, text, took)
				}
				c.Close()
				close(stop)
				<-trickled
				synctest.Wait()
				if n := f.metric(t, `agent_server_handshakes_total{result="timeout"}`); n != "1" {
					t.Errorf("%q timeouts counted, want 1", n)
				}
			})
		})
	}
}

// trickle writes a frame byte by byte.
func trickle(w io.Writer, text string, every time.Duration, stop <-chan struct{}) {
	if every == 0 {
		return
	}
	frame := append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
	for _, b := range frame {
		if _, err := w.Write([]byte{b}); err != nil {
			return
		}
		select {
		case <-time.After(every):
		case <-stop:
			return
		}
	}
}

// Many who connect and say nothing must not take the places of those who do.
func TestHandshakeTimeShrinks(t *testing.T) {
	for n, want := range map[int]time.Duration{
		1: time.Minute, 1000: time.Minute, 2000: 30 * time.Second, 6000: 10 * time.Second, 1e6: 5 * time.Second,
	} {
		if got := server.Patience(n); got != want {
			t.Errorf("with %d waiting, a client has %v, want %v", n, got, want)
		}
	}
}

// A plain request to the address of agents is answered as HTTP.
func TestPlainRequest(t *testing.T) {
	f := start(t, server.Config{})
	for _, tt := range []struct {
		method, path string
		header       http.Header
		status       int
	}{
		{"GET", "/ws/agent", nil, http.StatusBadRequest},
		{"POST", "/ws/agent", nil, http.StatusMethodNotAllowed},
		{"GET", "/", nil, http.StatusNotFound},
		{"GET", "/api/agents", nil, http.StatusNotFound},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+f.AgentAddr().String()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s %s: %s, want %d", tt.method, tt.path, resp.Status, tt.status)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// A web page must not become an agent.
func TestBrowserRefused(t *testing.T) {
	f := start(t, server.Config{})
	d := conn.Dialer{Header: http.Header{"Origin": {"http://example.com"}}}
	_, err := d.Dial(t.Context(), "ws://"+f.AgentAddr().String()+"/ws/agent")
	if refused := (*conn.RefusedError)(nil); !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
		t.Errorf("error %v, want a refusal with 403", err)
	}
}
