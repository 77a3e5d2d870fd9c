package libagent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// recorded is one line of a recording of an agent and a server of the field.
type recorded struct {
	Dir   string          `json:"dir"`
	Frame json.RawMessage `json:"frame"`
}

func recording(t *testing.T, name string) []recorded {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "wire", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	for s := bufio.NewScanner(f); s.Scan(); {
		var r recorded
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Frame != nil {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s holds no frames", name)
	}
	return all
}

// A server of the field: another WebSocket library's defaults, no pings, no close frames, TCP just ends; what it says was
// recorded. Every request of the recordings is answered as the recorded agent did, with and without compression.
func TestFieldServer(t *testing.T) {
	for _, deflate := range []bool{true, false} {
		t.Run(fmt.Sprintf("deflate=%v", deflate), func(t *testing.T) {
			var frames []recorded
			for _, name := range []string{"example-foo-timeout.jsonl", "example-foo-ok.jsonl", "example-foo-after-late-reply.jsonl", "exec-run-ok.jsonl"} {
				frames = append(frames, recording(t, name)...)
			}
			up := websocket.Upgrader{EnableCompression: deflate}
			visits := make(chan error, 100)
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				offered := strings.Contains(r.Header.Get("Sec-Websocket-Extensions"), "permessage-deflate")
				if !offered || r.Header.Get("Origin") != "" {
					visits <- fmt.Errorf("the agent's upgrade is %v", r.Header)
				}
				c, err := up.Upgrade(w, r, nil)
				if err != nil {
					visits <- err
					return
				}
				visits <- fieldServer(c, frames)
				c.NetConn().Close()
			}))
			defer ts.Close()
			app := &testApp{setup: func(ag *libagent.Agent) error {
				libagent.Handle(ag, wire.Foo, func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil })
				return nil
			}}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			c := &testConf{}
			c.ID, c.Server, c.Reconnect.Spread = "example-01", []string{strings.TrimPrefix(ts.URL, "http://")}, -1
			c.Monitor.Interval = time.Second
			go func() { ended <- libagent.Run(ctx, app, &libagent.Options{Config: c}) }()
			for range 2 { // it comes back after the TCP connection just ended
				if err := <-visits; err != nil {
					t.Error(err)
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// fieldServer shakes hands, sends what was recorded, and compares the answers.
func fieldServer(c *websocket.Conn, frames []recorded) error {
	_, data, err := c.ReadMessage()
	if err != nil {
		return err
	}
	var come struct {
		Type wire.Type
		Come map[string]any
	}
	if err := json.Unmarshal(data, &come); err != nil {
		return err
	}
	if come.Type != wire.Come.Type() {
		return fmt.Errorf("the first frame is %s", data)
	}
	for _, field := range []string{"id", "name", "version", "ip", "mac", "host_name", "os", "platform", "platform_version", "kernel_version", "arch", "cpu", "cpu_core", "memory"} {
		if _, ok := come.Come[field]; !ok {
			return fmt.Errorf("come has no %s: %s", field, data)
		}
	}
	if come.Come["id"] != "example-01" || come.Come["ip"] != "127.0.0.1" || come.Come["mac"] != "" {
		return fmt.Errorf("come is %s", data)
	}
	c.EnableWriteCompression(true)
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"type":2,"handshake":{"ok":true,"id":"example-01","msg":""}}`)); err != nil {
		return err
	}
	for i, r := range frames {
		if r.Dir == "s2a" {
			if err := c.WriteMessage(websocket.TextMessage, r.Frame); err != nil {
				return err
			}
			continue
		}
		var want, got struct {
			Type int
			TID  string
		}
		if err := json.Unmarshal(r.Frame, &want); err != nil {
			return err
		}
		if want.Type != 9 {
			continue // the recorded agent could more than this one
		}
		data, err := next(c, false)
		if err != nil {
			return fmt.Errorf("no answer to frame %d: %w", i, err)
		}
		if err := json.Unmarshal(data, &got); err != nil {
			return err
		}
		if got.Type != want.Type || got.TID != want.TID {
			return fmt.Errorf("answer %+v, the recorded agent's was %s", got, r.Frame)
		}
	}
	data, err = next(c, true)
	if err != nil {
		return fmt.Errorf("no monitor report: %w", err)
	}
	var report struct{ AI map[string]any }
	if err := json.Unmarshal(data, &report); err != nil {
		return err
	}
	for _, field := range []string{"v", "gv", "cu", "mu", "ts", "rs", "st", "hi", "gc", "ip", "ib", "op", "ob", "rcc", "rcs", "wcs"} {
		if _, ok := report.AI[field]; !ok {
			return fmt.Errorf("the report has no %s: %s", field, data)
		}
	}
	return nil
}

// next returns the next frame that is a monitor report, or the next that is none.
func next(c *websocket.Conn, report bool) ([]byte, error) {
	for {
		_, data, err := c.ReadMessage()
		if err != nil || strings.HasPrefix(string(data), `{"type":7,`) == report {
			return data, err
		}
	}
}
