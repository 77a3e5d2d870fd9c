package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// recording is what agents of the field and their server said to each other, by connection.
type recording struct {
	sent, got map[int][]string // frames of the agent, and of the server
	order     []int            // connections in the order in which they appear
}

func readRecording(t testing.TB, file string) *recording {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{sent: make(map[int][]string), got: make(map[int][]string)}
	for line := range strings.Lines(string(b)) {
		var entry struct {
			Dir     string
			Conn    int
			Frame   json.RawMessage
			Newline bool `json:"trailing_newline"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(entry.Frame) == 0 {
			continue
		}
		frame := string(entry.Frame)
		if entry.Newline {
			frame += "\n"
		}
		if !slices.Contains(r.order, entry.Conn) {
			r.order = append(r.order, entry.Conn)
		}
		if entry.Dir == "a2s" {
			r.sent[entry.Conn] = append(r.sent[entry.Conn], frame)
		} else {
			r.got[entry.Conn] = append(r.got[entry.Conn], frame)
		}
	}
	return r
}

// Agents of the field are told what their own server told them.
func TestRecordedHandshakes(t *testing.T) {
	for _, tt := range []struct {
		files    []string // one after the other against one server
		assigned bool
	}{
		{[]string{"example-handshake-ok.jsonl"}, false},
		{[]string{"example-handshake-dup-first.jsonl", "example-handshake-duplicate-id.jsonl"}, false},
		{[]string{"example-handshake-ip-id.jsonl"}, false},
		{[]string{"example-handshake-empty-id.jsonl"}, true},
	} {
		t.Run(tt.files[len(tt.files)-1], func(t *testing.T) {
			f := start(t, server.Config{})
			for _, file := range tt.files {
				r := readRecording(t, filepath.Join("testdata", "wire", file))
				for _, n := range r.order {
					c := f.connect(t, conn.Options{})
					sendRaw(t, c, r.sent[n][0])
					got, want := handshakeOf(t, c), decodeHandshake(t, r.got[n][0])
					if tt.assigned && strings.HasPrefix(got.ID, want.ID[:len("agent-2026")]) && len(got.ID) == len(want.ID) {
						got.ID = want.ID
					}
					if got.OK != want.OK || got.ID != want.ID || got.Msg != want.Msg {
						t.Errorf("connection %d: answer %+v, the recorded one is %+v", n, got, want)
					}
				}
			}
		})
	}
}

func decodeHandshake(t testing.TB, frame string) wire.HandshakePayload {
	t.Helper()
	f, err := wire.Parse([]byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	h, err := wire.Handshake.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The requests with which agents of the field come are answered as by their own server, and one that is no WebSocket is refused.
func TestRecordedUpgrades(t *testing.T) {
	b, err := os.ReadFile("testdata/wire/http-upgrade.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, server.Config{})
	n := 0
	for line := range strings.Lines(string(b)) {
		var was struct {
			Method, URI       string
			Request, Response map[string]string
			Status            int
		}
		if err := json.Unmarshal([]byte(line), &was); err != nil {
			t.Fatal(err)
		}
		n++
		c, err := f.dial()
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(was.Method, "http://server"+was.URI, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range was.Request {
			req.Header.Set(name, value)
		}
		if err := req.Write(c); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != was.Status {
			t.Errorf("status %d, recorded %d", resp.StatusCode, was.Status)
		}
		delete(was.Response, "Sec-Websocket-Accept") // who recorded it had another key than the agent
		for name, want := range was.Response {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %q, recorded %q", name, got, want)
			}
		}
		c.Close()
	}
	if n != 4 {
		t.Errorf("%d recorded requests, want 4", n)
	}
}

// Everything that agents of the field said over hours, with and without compression, is understood: nothing closes,
// nothing is counted as bad, and the metrics show the last report of each.
func TestRecordedSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*session.jsonl")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d recorded sessions, %v, want 6", len(files), err)
	}
	for _, file := range files {
		for name, opt := range map[string]conn.Options{
			"compressed": {CompressFrom: 1}, // agents of the field compress every frame
			"plain":      {NoCompression: true},
		} {
			t.Run(filepath.Base(file)+"/"+name, func(t *testing.T) {
				r := readRecording(t, file)
				f := start(t, server.Config{})
				unwanted := make(map[wire.Type]int)
				for _, n := range r.order {
					c := f.connect(t, opt)
					p := recordedCome(t, filepath.Base(file))
					p.ID = fmt.Sprintf("agent-%d", n)
					if h := shake(t, c, p); !h.OK {
						t.Fatal(h.Msg)
					}
					var last *wire.AgentInfoPayload
					for i, text := range r.sent[n] {
						sendRaw(t, c, text)
						if i%10 == 0 {
							if err := c.SendPing(context.Background()); err != nil {
								t.Fatal(err)
							}
						}
						frame, err := wire.Parse([]byte(text))
						if err != nil {
							t.Fatal(err)
						}
						if frame.Type != wire.AgentInfo.Type() {
							unwanted[frame.Type]++
							continue
						}
						info, err := wire.AgentInfo.Decode(frame)
						if err != nil {
							t.Fatal(err)
						}
						last = &info
					}
					flush(t, f, c)
					checkReport(t, f, p, last)
				}
				for kind, n := range unwanted {
					if got := f.metric(t, `agent_server_dropped_frames_total{type="`+kind.String()+`"}`); got != strconv.Itoa(n) {
						t.Errorf("%q of type %v counted as dropped, want %d", got, kind, n)
					}
				}
				_, metrics := f.request(t, "GET", "/metrics")
				if strings.Contains(metrics, "bad_frames_total{") {
					t.Errorf("bad frames:\n%s", ours(metrics))
				}
			})
		}
	}
}

// recordedCome is how the agent of a recording introduced itself.
func recordedCome(t testing.TB, session string) wire.ComePayload {
	t.Helper()
	kind, _, _ := strings.Cut(strings.TrimPrefix(session, "hs-"), "-")
	file := kind + "-handshake.jsonl"
	if kind == "example" {
		file = "example-handshake-ok.jsonl"
	}
	r := readRecording(t, filepath.Join("testdata", "wire", file))
	frame, err := wire.Parse([]byte(r.sent[r.order[0]][0]))
	if err != nil {
		t.Fatal(err)
	}
	p, err := wire.Come.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// checkReport compares the metrics of an agent with its last report.
func checkReport(t testing.TB, f *fixture, p wire.ComePayload, last *wire.AgentInfoPayload) {
	t.Helper()
	series := func(tag string) string {
		return fmt.Sprintf(`agent_info{agent_type=%q,id=%q,tag=%q}`, p.Name, p.ID, tag)
	}
	_, metrics := f.request(t, "GET", "/metrics")
	if last == nil {
		if got := metricIn(metrics, series("threads")); got != "" {
			t.Errorf("%s has threads %q without a report", p.ID, got)
		}
		return
	}
	for tag, want := range map[string]float64{
		"cpu_usage": float64(last.CPUUsage), "memory_usage": float64(last.MemoryUsage), "threads": float64(last.Threads),
		"routines": float64(last.Routines), "startup": float64(last.Startup), "heap_in_use": float64(last.HeapInUse),
		"gc_0": last.GC.Q0, "gc_0.25": last.GC.Q25, "gc_0.5": last.GC.Q50, "gc_0.75": last.GC.Q75, "gc_1": last.GC.Q100,
		"in_packets": float64(last.InPackets), "in_bytes": float64(last.InBytes), "out_packets": float64(last.OutPackets),
		"out_bytes": float64(last.OutBytes), "reconnect_count": float64(last.Reconnects),
		"read_chan_size": float64(last.ReadChanSize), "write_chan_size": float64(last.WriteChanSize),
	} {
		if got, err := strconv.ParseFloat(metricIn(metrics, series(tag)), 64); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", series(tag), got, err, want)
		}
	}
}
