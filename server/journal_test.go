package server_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// text is a message of an author.
type text struct {
	S string `json:"s"`
}

var textMessage = wire.Define[text](30001, "text", "text")

const runA, runB = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"

// keeper is an agent that keeps what it sends until the journal has it, made of what it says.
type keeper struct {
	*conn.Conn
	t testing.TB
}

func (f *fixture) keeper(t testing.TB, id string) keeper {
	t.Helper()
	c := f.connect(t, conn.Options{})
	p := come(id, "keeper")
	p.Ack = wire.AckVersion
	if h := shake(t, c, p); !h.OK || h.Ack != wire.AckVersion {
		t.Fatalf("handshake: %+v", h)
	}
	return keeper{c, t}
}

// open opens a stream and returns where the journal is.
func (k keeper) open(h uint64, run string, lane int, first uint64) wire.OutCursor {
	k.t.Helper()
	send(k.t, k.Conn, wire.OutOpen, "", wire.OutOpenPayload{Streams: []wire.OutStream{{Handle: h, Run: run, Lane: lane, First: first}}})
	return expect(k.t, k.Conn, wire.OutOpened).Streams[0]
}

const at = 1763632189000000000

func frameOf(s string) []byte {
	b, err := textMessage.Append(nil, "", &text{s})
	if err != nil {
		panic(err)
	}
	return b
}

func (k keeper) say(h, seq uint64, s string) {
	k.t.Helper()
	sendRaw(k.t, k.Conn, string(wire.Place{Handle: h, Seq: seq, At: at}.Append(nil, frameOf(s))))
}

// acked waits until the journal has a sequence.
func (k keeper) acked(h, seq uint64) {
	k.t.Helper()
	for {
		for _, a := range expect(k.t, k.Conn, wire.OutAck).Acks {
			if a.Handle == h && a.Seq == seq {
				return
			}
			if a.Handle == h && a.Seq > seq {
				k.t.Fatalf("%d is acknowledged, want %d", a.Seq, seq)
			}
		}
	}
}

// expect receives a message of a kind.
func expect[T any](t testing.TB, c *conn.Conn, m *wire.Message[T]) T {
	t.Helper()
	f, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// collector is a sink that keeps what it gets.
type collector struct {
	mu   sync.Mutex // guards all
	all  []server.Entry
	more chan struct{}
}

func newCollector() *collector { return &collector{more: make(chan struct{}, 1)} }

func (c *collector) Take(_ context.Context, entries []server.Entry) error {
	c.mu.Lock()
	c.all = append(c.all, entries...)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
	return nil
}

// wait waits until there are n entries, and returns what they say.
func (c *collector) wait(n int) []string {
	for {
		c.mu.Lock()
		if len(c.all) >= n {
			defer c.mu.Unlock()
			var said []string
			for _, e := range c.all {
				said = append(said, say(e))
			}
			return said
		}
		c.mu.Unlock()
		<-c.more
	}
}

func say(e server.Entry) string {
	if e.Missing > 0 {
		return fmt.Sprintf("%s: %d missing: %s", e.Agent, e.Missing, e.Why)
	}
	v, err := server.Decode(e, textMessage)
	if err != nil {
		return err.Error()
	}
	return e.Agent + ": " + v.S
}

// startWith runs a server with sinks on a folder.
func startWith(t testing.TB, dir string, sinks map[string]server.Sink, types ...wire.Type) *fixture {
	t.Helper()
	cfg := server.Config{DataDir: dir}
	cfg.Listen, cfg.API.Listen = "none", "none"
	f := setUp(t, cfg)
	agents, api := newPipeListener(), newPipeListener()
	f.SetListeners(agents, api)
	f.dial, f.dialAPI = agents.dial, api.dial
	for name, s := range sinks {
		if err := server.Attach(f.Server, name, s, types...); err != nil {
			t.Fatal(err)
		}
	}
	f.run(t)
	return f
}

// What an agent says is in the journal once and in order, whoever is restarted in between, and names are for ever.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	all := newCollector()
	f := startWith(t, dir, map[string]server.Sink{"all": all})
	k := f.keeper(t, "a")
	if c := k.open(1, runA, 1, 1); c.Seq != 0 || c.Sum != "" {
		t.Errorf("a new stream is at %+v", c)
	}
	k.say(1, 1, "one")
	k.say(1, 2, "two")
	k.say(1, 2, "two")
	k.acked(1, 2)
	send(t, k.Conn, wire.OutGap, "", wire.OutGapPayload{Handle: 1, From: 2, To: 4, Why: wire.GapFull})
	k.acked(1, 4)
	k.say(1, 5, "five")
	k.acked(1, 5)
	want := []string{"a: one", "a: two", "a: 2 missing: full", "a: five"}
	if got := all.wait(4); !slices.Equal(got, want) {
		t.Errorf("the journal has %q, want %q", got, want)
	}
	f.stop()

	again := newCollector()
	f = startWith(t, dir, map[string]server.Sink{"all": all, "again": again})
	k = f.keeper(t, "b") // renamed meanwhile
	if c := k.open(9, runA, 1, 1); c.Seq != 5 || c.Sum != wire.Sum(at, frameOf("five")) {
		t.Errorf("after a restart the stream is at %+v", c)
	}
	if c := k.open(10, runA, 0, 7); c.Seq != 6 {
		t.Errorf("the other lane is at %+v", c)
	}
	k.say(9, 6, "six")
	k.acked(9, 6)
	want = append(want, "b: six")
	if got := all.wait(5); !slices.Equal(got, want) {
		t.Errorf("a sink got %q, want %q", got, want)
	}
	if got := again.wait(5); !slices.Equal(got, want) {
		t.Errorf("a new sink got %q, want %q", got, want)
	}
	for i, e := range again.all {
		if e.ID != all.all[i].ID || e.Offset != all.all[i].Offset || strings.Contains(e.ID, runA[:8]) {
			t.Errorf("entry %d is %q at %d, and was %q at %d", i, e.ID, e.Offset, all.all[i].ID, all.all[i].Offset)
		}
	}
	if e := all.all[0]; e.At.UnixNano() != at || e.Type != textMessage.Type() || string(e.Frame) != string(frameOf("one")) {
		t.Errorf("the first message came back as %+v", e)
	}
	if n := f.metric(t, `agent_server_journal_messages_total{kind="kept"}`); n != "1" {
		t.Errorf("the metrics count %s messages, want 1", n)
	}
}

// A stream belongs to the connection that opened it last: nothing comes twice, whoever still has an old connection.
func TestStreamMoves(t *testing.T) {
	all := newCollector()
	f := startWith(t, t.TempDir(), map[string]server.Sink{"all": all})
	a, b := f.keeper(t, "a"), f.keeper(t, "b")
	a.open(1, runA, 1, 1)
	a.say(1, 1, "one")
	a.acked(1, 1)
	if c := b.open(5, runA, 1, 1); c.Seq != 1 {
		t.Errorf("the second connection is told %+v", c)
	}
	if lost := expect(t, a.Conn, wire.OutLost); lost.Handle != 1 {
		t.Errorf("the first one has lost stream %d", lost.Handle)
	}
	a.say(1, 2, "nobody hears this")
	if c := a.open(2, runB, 1, 1); c.Seq != 0 { // behind it
		t.Errorf("another stream is at %+v", c)
	}
	b.say(5, 2, "two")
	b.acked(5, 2)
	if got, want := all.wait(2), []string{"a: one", "b: two"}; !slices.Equal(got, want) {
		t.Errorf("the journal has %q, want %q", got, want)
	}
}

// An agent that does not keep to the protocol loses its connection, and nothing of it is taken.
func TestOutboxViolations(t *testing.T) {
	f := startWith(t, t.TempDir(), nil)
	placed := func(seq uint64) string { return string(wire.Place{Handle: 1, Seq: seq}.Append(nil, frameOf("x"))) }
	open := func(stream string) string { return `{"type":20000,"out_open":{"streams":[` + stream + `]}}` }
	good := `{"h":2,"run":"` + runB + `","lane":1,"first":1}`
	for name, frame := range map[string]string{
		"a hole":             placed(3),
		"before the first":   placed(0),
		"gap with a hole":    `{"type":20003,"out_gap":{"h":1,"from":3,"to":4,"why":"full"}}`,
		"gap backwards":      `{"type":20003,"out_gap":{"h":1,"from":1,"to":0,"why":"full"}}`,
		"handle twice":       open(strings.Replace(good, `"h":2`, `"h":1`, 1)),
		"run too short":      open(strings.Replace(good, runB, "00", 1)),
		"run of other signs": open(strings.Replace(good, "f", "x", 1)),
		"lane":               open(strings.Replace(good, `"lane":1`, `"lane":2`, 1)),
		"first":              open(strings.Replace(good, `"first":1`, `"first":0`, 1)),
		"too many streams":   open(manyStreams(wire.MaxStreams)),
	} {
		t.Run(name, func(t *testing.T) {
			k := f.keeper(t, strings.ReplaceAll(name, " ", "-"))
			k.open(1, runA, 1, 1)
			sendRaw(t, k.Conn, frame)
			if bye := closed(t, k.Conn); bye.Code != conn.CodeProtocol {
				t.Errorf("the connection ended with %v", bye)
			}
		})
	}
	waitFor(t, f, "agent_server_journal_streams", "0") // nothing is kept for agents that have never said anything
}

func manyStreams(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"h":%d,"run":"%032x","lane":1,"first":1}`, i+2, i+2))
	}
	return strings.Join(all, ",")
}

// An agent of the field sees none of it.
func TestFieldAgentSeesNoJournal(t *testing.T) {
	all := newCollector()
	f := startWith(t, t.TempDir(), map[string]server.Sink{"all": all}, textMessage.Type())
	c := f.connect(t, conn.Options{})
	send(t, c, wire.Come, "", come("old", "old"))
	h, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(h.AppendUnplaced(nil)); got != `{"type":2,"handshake":{"ok":true,"id":"old","msg":""}}` {
		t.Errorf("the handshake is %s", got)
	}
	sendRaw(t, c, `{"type":20000,"out_open":{"streams":[{"h":1,"run":"`+runA+`","lane":1,"first":1}]}}`)
	sendRaw(t, c, string(frameOf("plain")))
	sendRaw(t, c, `{"type":30001,"tid":"t","text":{"s":"an answer"}}`)
	sendRaw(t, c, `{"type":30002}`)
	sendRaw(t, c, string(frameOf("more")))
	if got, want := all.wait(2), []string{"old: plain", "old: more"}; !slices.Equal(got, want) {
		t.Errorf("the journal has %q, want %q", got, want)
	}
}

// A sink that fails gets the same again, and one that panics harms nobody; the others go on.
func TestSinkFails(t *testing.T) {
	good := newCollector()
	tries, failed := make(chan string, 10), false
	f := startWith(t, t.TempDir(), map[string]server.Sink{"good": good, "bad": sinkFunc(func(ctx context.Context, e []server.Entry) error {
		tries <- e[0].ID
		if !failed {
			failed = true
			panic("once")
		}
		return nil
	})})
	k := f.keeper(t, "a")
	k.open(1, runA, 1, 1)
	k.say(1, 1, "one")
	k.acked(1, 1)
	good.wait(1)
	if first, second := <-tries, <-tries; first != second {
		t.Errorf("a sink that has failed got %s and then %s", first, second)
	}
}

type sinkFunc func(context.Context, []server.Entry) error

func (f sinkFunc) Take(ctx context.Context, e []server.Entry) error { return f(ctx, e) }

// A function for messages of one kind gets each until it has taken it, and none of another kind.
func TestConsume(t *testing.T) {
	cfg := server.Config{DataDir: t.TempDir()}
	cfg.Listen, cfg.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	f := setUp(t, cfg)
	got := make(chan string, 10)
	failed := false
	err := server.Consume(f.Server, "texts", textMessage, func(_ context.Context, e server.Entry, v text) error {
		got <- v.S
		if v.S == "two" && !failed {
			failed = true
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"texts", "", "a/b", "..", strings.Repeat("x", 65)} {
		if err := server.Attach(f.Server, name, newCollector()); err == nil {
			t.Errorf("a sink of the name %q was taken", name)
		}
	}
	if err := f.Listen(); err != nil {
		t.Fatal(err)
	}
	f.run(t)
	c, err := conn.Dialer{}.Dial(t.Context(), "ws://"+f.AgentAddr().String()+"/ws/agent")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(conn.CodeNormal, "")
	p := come("a", "keeper")
	p.Ack = wire.AckVersion
	shake(t, c, p)
	k := keeper{c, t}
	k.open(1, runA, 1, 1)
	k.say(1, 1, "one")
	sendRaw(t, c, string(wire.Place{Handle: 1, Seq: 2, At: 1}.Append(nil, []byte(`{"type":30001,"text":7}`))))
	sendRaw(t, c, string(wire.Place{Handle: 1, Seq: 3, At: 1}.Append(nil, []byte(`{"type":30009}`))))
	k.say(1, 4, "two")
	k.say(1, 5, "three")
	k.acked(1, 5)
	for _, want := range []string{"one", "two", "two", "three"} {
		if s := <-got; s != want {
			t.Errorf("got %q, want %q", s, want)
		}
	}
}

// Two servers do not share a folder: the second one does not start, and has changed nothing of the first one.
func TestJournalBelongsToOne(t *testing.T) {
	dir := t.TempDir()
	startWith(t, dir, nil).keeper(t, "a") // so it runs
	logs, err := filepath.Glob(filepath.Join(dir, "audit", "*.jsonl"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("audit logs %q, %v", logs, err)
	}
	busy := map[string]string{ // what a server at work has for a moment
		filepath.Join(dir, "spool", "transfer-1"): "a transfer",
		logs[0]: string(readFile(t, logs[0])) + `{"seq":2,"time`,
	}
	for name, text := range busy {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := server.Config{DataDir: dir, Listen: "none", API: server.APIConfig{Listen: "none"}}
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "in use already") {
		t.Errorf("a second server on the same folder: %v", err)
	}
	for name, text := range busy {
		if got := string(readFile(t, name)); got != text {
			t.Errorf("%s holds %q now, not %q", name, got, text)
		}
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A journal whose notes are damaged is read from its beginning, and no cursor is lost.
func TestJournalNotesDamaged(t *testing.T) {
	for _, note := range []string{"", "99999", "x", "1"} {
		dir := t.TempDir()
		f := startWith(t, dir, map[string]server.Sink{"all": newCollector()})
		k := f.keeper(t, "a")
		k.open(1, runA, 1, 1)
		k.say(1, 1, "one")
		k.acked(1, 1)
		k.Close(conn.CodeNormal, "")
		f.stop()
		for _, name := range []string{"checkpoint", "consumers/all"} {
			if err := os.WriteFile(filepath.Join(dir, "journal", name), []byte(note), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f = startWith(t, dir, map[string]server.Sink{"all": newCollector()})
		if c := f.keeper(t, "a").open(1, runA, 1, 1); c.Seq != 1 {
			t.Errorf("with the note %q, the stream is at %+v", note, c)
		}
		f.stop()
	}
}
