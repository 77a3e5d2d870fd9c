package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// note is a message that a stranger has declared.
type notePayload struct {
	Text string `json:"text"`
}

var note = wire.Define[notePayload](30010, "note", "note")

// flush returns when the server has handled everything that the agent sent before.
func flush(t testing.TB, f *fixture, c *conn.Conn) {
	t.Helper()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		frame, err := c.Receive()
		if err != nil {
			t.Error(err)
			return
		}
		sendRaw(t, c, string(echoBack(frame)))
	}()
	id := agentID(t, f, c)
	if _, err := call(context.Background(), f, id, "flush"); err != nil {
		t.Fatal(err)
	}
	<-answered
}

// agentID is the id of the agent at the other end.
func agentID(t testing.TB, f *fixture, c *conn.Conn) string {
	t.Helper()
	agents, err := f.List(context.Background(), server.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range agents {
		if len(agents) == 1 || a.Remote == c.LocalAddr().String() {
			return a.ID
		}
	}
	t.Fatalf("%v is none of %v", c.LocalAddr(), agents)
	return ""
}

func TestReceive(t *testing.T) {
	f := start(t, server.Config{})
	type event struct {
		agent server.Agent
		text  string
	}
	var first, second []event
	server.Receive(f.Server, note, func(_ context.Context, a server.Agent, p notePayload) error {
		first = append(first, event{a, p.Text})
		return nil
	})
	server.Receive(f.Server, note, func(_ context.Context, a server.Agent, p notePayload) error {
		second = append(second, event{a, p.Text})
		return nil
	})
	c := f.agent(t, "x", "any-agent")
	send(t, c, note, "", notePayload{Text: "one"})
	send(t, c, note, "a-task-of-the-agent", notePayload{Text: "two"})
	flush(t, f, c)
	for _, events := range [][]event{first, second} {
		if len(events) != 2 || events[0].text != "one" || events[1].text != "two" {
			t.Fatalf("received %+v", events)
		}
		if a := events[0].agent; a.ID != "x" || a.Name != "any-agent" || a.Remote != c.LocalAddr().String() || a.Connected.IsZero() {
			t.Errorf("from agent %+v", a)
		}
	}
}

// What a function keeps of a payload must not change when the next message comes.
func TestReceivedPayloadIsOwn(t *testing.T) {
	f := start(t, server.Config{})
	var texts []string
	server.Receive(f.Server, note, func(_ context.Context, _ server.Agent, p notePayload) error {
		texts = append(texts, p.Text)
		return nil
	})
	c := f.agent(t, "x", "any-agent")
	for _, b := range []string{"a", "b", "c"} {
		send(t, c, note, "", notePayload{Text: strings.Repeat(b, 100)})
	}
	flush(t, f, c)
	for i, b := range []string{"a", "b", "c"} {
		if texts[i] != strings.Repeat(b, 100) {
			t.Errorf("text %d is %q now", i, texts[i])
		}
	}
}

// A function that fails or panics must harm nothing else, and its author must learn of it.
func TestReceiveFails(t *testing.T) {
	f := start(t, server.Config{})
	server.Receive(f.Server, note, func(_ context.Context, _ server.Agent, p notePayload) error {
		if p.Text == "panic" {
			panicInHandler()
		}
		return errors.New("full of " + p.Text)
	})
	c := f.agent(t, "x", "any-agent")
	send(t, c, note, "", notePayload{Text: "water"})
	send(t, c, note, "", notePayload{Text: "panic"})
	flush(t, f, c)
	for _, want := range []string{"full of water", "out of order", "panicInHandler"} {
		if !strings.Contains(f.logs.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, f.logs)
		}
	}
	for series, want := range map[string]string{
		`agent_server_handler_failures_total{kind="error"}`: "1",
		`agent_server_handler_failures_total{kind="panic"}`: "1",
	} {
		if got := f.metric(t, series); got != want {
			t.Errorf("%s %q, want %s", series, got, want)
		}
	}
}

func panicInHandler() { panic("out of order") }

// mine is an error that explodes when it is touched.
type mine struct{}

func (mine) Error() string { panic("do not look") }

// Whatever goes wrong with a message ends its sender's connection at most: the server goes on, and so do other agents.
func TestReceiveMine(t *testing.T) {
	f := start(t, server.Config{})
	server.Receive(f.Server, note, func(context.Context, server.Agent, notePayload) error { return mine{} })
	other := f.agent(t, "other", "any-agent")
	c := f.agent(t, "x", "any-agent")
	send(t, c, note, "", notePayload{})
	closed(t, c)
	flush(t, f, other)
	if !strings.Contains(f.logs.String(), "do not look") {
		t.Errorf("the log does not say why:\n%s", f.logs)
	}
}

// The context of a function ends with the agent's connection, and with the server.
func TestReceiveContext(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*fixture, *conn.Conn)
	}{
		{"agent leaves", func(_ *fixture, c *conn.Conn) { c.Close(conn.CodeNormal, "") }},
		{"server stops", func(f *fixture, _ *conn.Conn) { f.stop() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t, server.Config{})
			contexts := make(chan context.Context, 1)
			server.Receive(f.Server, note, func(ctx context.Context, _ server.Agent, _ notePayload) error {
				contexts <- ctx
				return nil
			})
			c := f.agent(t, "x", "any-agent")
			send(t, c, note, "", notePayload{})
			ctx := <-contexts
			if ctx.Err() != nil {
				t.Error("the context has ended before the connection")
			}
			tt.end(f, c)
			<-ctx.Done()
		})
	}
}

// A server stops even while a function waits for its context.
func TestStopEndsHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		server.Receive(f.Server, note, func(ctx context.Context, _ server.Agent, _ notePayload) error {
			<-ctx.Done()
			return ctx.Err()
		})
		c := f.agent(t, "x", "any-agent")
		send(t, c, note, "", notePayload{})
		synctest.Wait()
		f.stop()
	})
}

// What nobody wants, and what cannot be read, is counted by kind and harms nothing: the next message is handled.
func TestUnwanted(t *testing.T) {
	for _, tt := range []struct {
		name, frame, series string
	}{
		{"known type", `{"type":33,"hm_dynamic_rep":{"begin":"2026-11-20T05:55:11Z","end":"2026-11-20T05:55:12Z"}}`,
			`agent_server_dropped_frames_total{type="host dynamic (33)"}`},
		{"known type without its payload", `{"type":33}`, `agent_server_dropped_frames_total{type="host dynamic (33)"}`},
		{"type of other agents", `{"type":77}`, `agent_server_dropped_frames_total{type="77"}`},
		{"type of no agent", `{"type":12345}`, `agent_server_dropped_frames_total{type="unknown"}`},
		{"extension", `{"type":29000}`, `agent_server_dropped_frames_total{type="extension"}`},
		{"stranger's type", `{"type":31234}`, `agent_server_dropped_frames_total{type="custom"}`},
		{"request", `{"type":10,"exec":{"cmd":"id"}}`, `agent_server_dropped_frames_total{type="exec (10)"}`},
		{"error", `{"type":0,"errmsg":"\u001b[2J"}`, `agent_server_dropped_frames_total{type="error (0)"}`},
		{"answer that nobody waits for", `{"type":9,"tid":"20261120-00001-0123456789abcdef"}`, `agent_server_late_replies_total`},
		{"second come", comeFrame(`"y"`), `agent_server_bad_frames_total{kind="second_come"}`},
		{"second come without payload", `{"type":1}`, `agent_server_bad_frames_total{kind="second_come"}`},
		{"not JSON", `{"type":7,`, `agent_server_bad_frames_total{kind="syntax"}`},
		{"empty", ``, `agent_server_bad_frames_total{kind="syntax"}`},
		{"deep", `{"type":7,"ai":` + strings.Repeat("[", 10000), `agent_server_bad_frames_total{kind="depth"}`},
		{"duplicate", `{"type":7,"type":7}`, `agent_server_bad_frames_total{kind="duplicate"}`},
		{"no type", `{}`, `agent_server_bad_frames_total{kind="no_type"}`},
		{"no payload", `{"type":7}`, `agent_server_bad_frames_total{kind="no_payload"}`},
		{"payload null", `{"type":7,"ai":null}`, `agent_server_bad_frames_total{kind="no_payload"}`},
		{"wrong payload", `{"type":7,"ai":[]}`, `agent_server_bad_frames_total{kind="kind"}`},
		{"huge number", `{"type":7,"ai":{"cu":1e400}}`, `agent_server_bad_frames_total{kind="range"}`},
		{"huge type", `{"type":99999999999}`, `agent_server_bad_frames_total{kind="range"}`},
		{"long task", `{"type":9,"tid":"` + strings.Repeat("x", 1000) + `"}`, `agent_server_bad_frames_total{kind="length"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t, server.Config{})
			c := f.agent(t, "x", "any-agent")
			sendRaw(t, c, tt.frame)
			flush(t, f, c)
			if got := f.metric(t, tt.series); got != "1" {
				_, all := f.request(t, "GET", "/metrics")
				t.Errorf("%s is %q, want 1:\n%s", tt.series, got, ours(all))
			}
			if strings.Contains(f.logs.String(), "\x1b") {
				t.Errorf("an escape sequence of the agent is in the log:\n%s", f.logs)
			}
		})
	}
}

// ours are the server's own lines of the metrics.
func ours(metrics string) string {
	var b strings.Builder
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "agent_server_") && !strings.Contains(line, "_bucket") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Whatever a hostile agent sends, the log grows slowly.
func TestNoiseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c := f.agent(t, "x", "any-agent")
		for range 1000 {
			sendRaw(t, c, "garbage")
		}
		flush(t, f, c)
		if n := strings.Count(f.logs.String(), "bad frame"); n == 0 || n > 10 {
			t.Errorf("%d lines for 1000 bad frames within no time, want 1 to 10", n)
		}
		if got := f.metric(t, `agent_server_bad_frames_total{kind="syntax"}`); got != "1000" {
			t.Errorf("%s bad frames counted, want 1000", got)
		}
	})
}

// A message that is no UTF-8 ends the connection, as RFC 6455 wants it.
func TestInvalidUTF8(t *testing.T) {
	f := start(t, server.Config{})
	c := upgrade(t, f)
	defer c.Close()
	writeFrame(t, c, 1, comeFrame(`"x"`))
	readFrame(t, c)
	writeFrame(t, c, 1, "{\"type\":7,\"x\":\"\xff\"}")
	if opcode, text := readFrame(t, c); opcode != 8 || !strings.HasPrefix(text, "\x03\xef") {
		t.Errorf("frame %d %q, want a goodbye with 1007", opcode, text)
	}
}

// Agents that stream get every message through, in order.
func TestReceiveMany(t *testing.T) {
	f := start(t, server.Config{})
	const n = 10_000
	var got int
	done := make(chan struct{})
	server.Receive(f.Server, note, func(_ context.Context, _ server.Agent, p notePayload) error {
		if p.Text != strings.Repeat("x", got%300) {
			t.Errorf("message %d is %q", got, p.Text)
		}
		if got++; got == n {
			close(done)
		}
		return nil
	})
	c := f.agent(t, "x", "any-agent")
	for i := range n {
		send(t, c, note, "", notePayload{Text: strings.Repeat("x", i%300)})
	}
	<-done
}
