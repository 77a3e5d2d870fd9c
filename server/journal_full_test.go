package server_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// received is what the server has said to a keeper.
func (k keeper) receive() *wire.Frame {
	k.t.Helper()
	f, err := k.Receive()
	if err != nil {
		k.t.Fatal(err)
	}
	return f
}

// A sink that is far behind stops the agents, not the other sinks, and loses nothing; when it goes on, so do they.
func TestSlowSinkStopsAgents(t *testing.T) {
	const all = 70 // more than fits at once
	gate, slow, fast := make(chan struct{}), make(chan string, 1000), newCollector()
	cfg := server.Config{DataDir: t.TempDir(), Journal: server.JournalConfig{Size: 64 << 20}}
	f := startSinks(t, cfg, map[string]server.Sink{"fast": fast, "slow": sinkFunc(func(ctx context.Context, entries []server.Entry) error {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, e := range entries {
			v, err := server.Decode(e, textMessage)
			if err != nil {
				return err
			}
			slow <- v.S[:5]
		}
		return nil
	})})
	k := f.keeper(t, "a")
	k.open(1, runA, 1, 1)
	pad := strings.Repeat("x", 1<<20)
	sent, acked, lost := 0, uint64(0), false
	for !lost {
		sent++
		k.say(1, uint64(sent), fmt.Sprintf("%05d%s", sent, pad))
		switch f := k.receive(); f.Type {
		case wire.OutAck.Type():
			p, err := wire.OutAck.Decode(f)
			if err != nil {
				t.Fatal(err)
			}
			acked = p.Acks[0].Seq
		case wire.OutLost.Type():
			lost = true
		}
		if sent > 100 {
			t.Fatal("the journal takes more than it may have")
		}
	}
	if acked < 32 || acked != uint64(sent-1) {
		t.Errorf("%d of %d messages of 1 MiB are in a journal of 64 MiB", acked, sent)
	}
	waitFor(t, f, `agent_server_journal_sink_lag{sink="fast"}`, "0")
	send(t, k.Conn, wire.OutOpen, "", wire.OutOpenPayload{Streams: []wire.OutStream{{Handle: 2, Run: runA, Lane: 1, First: 1}}})
	waitFor(t, f, "agent_server_journal_streams_waiting", "1")
	close(gate)
	if c := expect(t, k.Conn, wire.OutOpened).Streams[0]; c.Handle != 2 || c.Seq != acked {
		t.Errorf("the stream goes on after %+v, want %d", c, acked)
	}
	waitFor(t, f, `agent_server_journal_sink_lag{sink="slow"}`, "0")
	for i := int(acked) + 1; i <= all; i++ { // what every sink has taken makes room
		k.say(2, uint64(i), fmt.Sprintf("%05d%s", i, pad))
		k.acked(2, uint64(i))
	}
	for i := 1; i <= all; i++ {
		if got, want := <-slow, fmt.Sprintf("%05d", i); got != want {
			t.Fatalf("the slow sink got %s, want %s", got, want)
		}
	}
	if got := fast.wait(all); len(got) != all {
		t.Errorf("the fast sink got %d, want %d", len(got), all)
	}
	f.stop()
	var disk int64
	files, err := filepath.Glob(filepath.Join(cfg.DataDir, "journal", "queue", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		disk += info.Size()
	}
	if disk > 64<<20 {
		t.Errorf("the journal takes %d bytes of the disk, more than its size", disk)
	}

	// What was let go has left its cursors.
	f = startSinks(t, cfg, nil)
	if c := f.keeper(t, "a").open(1, runA, 1, 1); c.Seq != all {
		t.Errorf("after a restart the stream is at %+v, want %d", c, all)
	}
}

// An agent that floods the journal while a sink takes nothing is stopped, before and after a restart, and those that send little are
// not: there is room for them. What was not taken comes again when the sink goes on, and nothing is lost.
func TestFloodLeavesRoom(t *testing.T) {
	cfg := server.Config{DataDir: t.TempDir(), Journal: server.JournalConfig{Size: 64 << 20}}
	stuck := func() map[string]server.Sink {
		return map[string]server.Sink{"sink": sinkFunc(func(ctx context.Context, _ []server.Entry) error {
			<-ctx.Done()
			return ctx.Err()
		})}
	}
	pad := strings.Repeat("x", 1<<20)
	flood := func(k keeper, h, from uint64) (next uint64) {
		for next = from; next < 100; next++ {
			k.say(h, next, fmt.Sprintf("%05d%s", next, pad))
			if f := k.receive(); f.Type == wire.OutLost.Type() {
				return next
			}
		}
		t.Fatal("one agent fills the journal")
		return next
	}
	f := startSinks(t, cfg, stuck())
	a, b := f.keeper(t, "a"), f.keeper(t, "b")
	a.open(1, runA, 1, 1)
	next := flood(a, 1, 1)
	b.open(1, runB, 1, 1)
	for i := range uint64(4) {
		b.say(1, i+1, pad)
		b.acked(1, i+1)
	}
	send(t, a.Conn, wire.OutOpen, "", wire.OutOpenPayload{Streams: []wire.OutStream{{Handle: 2, Run: runA, Lane: 1, First: 1}}})
	waitFor(t, f, "agent_server_journal_streams_waiting", "1")
	if fault := f.metric(t, "agent_server_journal_fault"); fault != "0" {
		t.Errorf("fault %s", fault)
	}
	f.stop()

	f = startSinks(t, cfg, stuck()) // which does not know any more whose the messages are
	a, b = f.keeper(t, "a"), f.keeper(t, "b")
	a.open(1, runA, 1, 1)
	next = flood(a, 1, next)
	b.open(1, runB, 1, 1)
	b.say(1, 5, "still served")
	b.acked(1, 5)
	f.stop()

	all := newCollector()
	f = startSinks(t, cfg, map[string]server.Sink{"sink": all})
	waitFor(t, f, `agent_server_journal_sink_lag{sink="sink"}`, "0")
	a = f.keeper(t, "a")
	if c := a.open(1, runA, 1, 1); c.Seq != next-1 {
		t.Errorf("the stream goes on after %d, want %d", c.Seq, next-1)
	}
	const more = 30
	for i := range uint64(more) { // which fits even if the sink takes none of it meanwhile
		a.say(1, next+i, fmt.Sprintf("%05d%s", next+i, pad))
		a.acked(1, next+i)
	}
	n := 0
	for _, said := range all.wait(int(next) - 1 + more + 5) {
		if text, ok := strings.CutPrefix(said, "a: "); ok {
			if n++; !strings.HasPrefix(text, fmt.Sprintf("%05d", n)) {
				t.Fatalf("message %d begins with %.5s", n, text)
			}
		}
	}
}

// startSinks runs a server with a config and sinks, in memory.
func startSinks(t testing.TB, cfg server.Config, sinks map[string]server.Sink) *fixture {
	t.Helper()
	cfg.Listen, cfg.API.Listen = "none", "none"
	f := setUp(t, cfg)
	agents, api := newPipeListener(), newPipeListener()
	f.SetListeners(agents, api)
	f.dial, f.dialAPI = agents.dial, api.dial
	for name, s := range sinks {
		if err := server.Attach(f.Server, name, s); err != nil {
			t.Fatal(err)
		}
	}
	f.run(t)
	return f
}

// A journal that is smaller than what comes lets go of the oldest when nobody reads it, and is never full.
func TestJournalWithoutSinks(t *testing.T) {
	cfg := server.Config{DataDir: t.TempDir(), Journal: server.JournalConfig{Size: 64 << 20}}
	f := startSinks(t, cfg, nil)
	k, other := f.keeper(t, "a"), f.keeper(t, "b")
	other.open(1, runB, 0, 1)
	other.say(1, 1, "early")
	other.acked(1, 1)
	other.Close(conn.CodeNormal, "")
	k.open(1, runA, 1, 1)
	pad := strings.Repeat("x", 4<<20)
	for i := range uint64(24) {
		k.say(1, i+1, pad)
		k.acked(1, i+1)
	}
	k.Close(conn.CodeNormal, "")
	f.stop()
	f = startSinks(t, cfg, nil)
	k = f.keeper(t, "a")
	if c := k.open(1, runA, 1, 1); c.Seq != 24 {
		t.Errorf("the stream is at %+v, want 24", c)
	}
	if c := k.open(2, runB, 0, 1); c.Seq != 1 || c.Sum != wire.Sum(at, frameOf("early")) {
		t.Errorf("a stream of which nothing is left is at %+v, want 1", c)
	}
}

// A journal whose folder is lost while it runs makes agents keep what they have, and takes it when that is over.
func TestJournalIsRestored(t *testing.T) {
	dir := t.TempDir()
	f := startSinks(t, server.Config{DataDir: dir}, nil)
	k := f.keeper(t, "a")
	k.open(1, runA, 1, 1)
	k.say(1, 1, "one")
	k.acked(1, 1)
	k.Close(conn.CodeNormal, "")
	f.stop()
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(filepath.Join(dir, "journal"))); err != nil {
		t.Fatal(err)
	}
	f = startSinks(t, server.Config{DataDir: dir}, nil)
	k = f.keeper(t, "a")
	k.open(1, runA, 1, 1)
	k.say(1, 2, "two")
	k.acked(1, 2)
	k.Close(conn.CodeNormal, "")
	f.stop()
	if err := os.RemoveAll(filepath.Join(dir, "journal")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "journal"), os.DirFS(backup)); err != nil {
		t.Fatal(err)
	}
	all := newCollector()
	f = startSinks(t, server.Config{DataDir: dir}, map[string]server.Sink{"all": all})
	k = f.keeper(t, "a")
	if c := k.open(1, runA, 1, 1); c.Seq != 1 || c.Sum != wire.Sum(at, frameOf("one")) {
		t.Errorf("a journal that was set back has %+v, want 1", c)
	}
	k.say(1, 2, "two")
	k.acked(1, 2)
	if got, want := all.wait(2), []string{"a: one", "a: two"}; !slices.Equal(got, want) {
		t.Errorf("the journal has %q, want %q", got, want)
	}
}

// A fault that comes and goes is shown for a minute after it was seen last.
func TestFaultShown(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		lasts bool
		last  time.Time
		want  bool
	}{
		{false, time.Time{}, false}, {true, now, true}, {true, now.Add(-time.Hour), true},
		{false, now.Add(-59 * time.Second), true}, {false, now.Add(-time.Minute), false},
	} {
		if got := server.FaultShown(c.lasts, c.last, now); got != c.want {
			t.Errorf("lasts %v, seen last %v ago: %v, want %v", c.lasts, now.Sub(c.last), got, c.want)
		}
	}
}
