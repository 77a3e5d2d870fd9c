package libagent_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

var (
	latest = wire.Define[textPayload](30010, "latest", "text", wire.Newest)
	live   = wire.Define[textPayload](30011, "live", "text", wire.Connected)
	alarm  = wire.Define[textPayload](30012, "alarm", "text", wire.Urgent)
)

// journal is a server with a journal, in memory. What it does wrong is up to the test.
type journal struct {
	t *testing.T

	mu      sync.Mutex // guards what follows
	cursors map[string]wire.OutCursor
	got     []string // "lane run message", runs as numbers in the order of their first message
	runs    []string
	opens   int
	mute    bool                                     // takes nothing, acknowledges nothing
	cut     int                                      // ends the connection after so many messages, 0 for never
	opened  func(run string, c *wire.OutCursor)      // changes the answer
	said    func(s *session, h uint64, p wire.Place) // after each message
}

func newJournal(t *testing.T) *journal {
	return &journal{t: t, cursors: make(map[string]wire.OutCursor)}
}

// serve is what a server does with a connection.
func (j *journal) serve(s *session) {
	s.readCome()
	if s.come.Ack != wire.AckVersion {
		j.t.Errorf("come says ack %d", s.come.Ack)
	}
	put(s, wire.Handshake, wire.HandshakePayload{OK: true, ID: s.come.ID, Ack: wire.AckVersion})
	streams := make(map[uint64]string)
	for {
		f, err := s.Receive()
		if err != nil {
			return
		}
		if !j.take(s, f, streams) {
			return
		}
	}
}

func (j *journal) take(s *session, f *wire.Frame, streams map[uint64]string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	p, placed := f.Place()
	switch {
	case f.Type == wire.OutOpen.Type():
		open, err := wire.OutOpen.Decode(f)
		if err != nil {
			j.t.Error(err)
		}
		var answer wire.OutOpenedPayload
		for _, o := range open.Streams {
			j.opens++
			name := fmt.Sprint(o.Lane, " ", o.Run)
			streams[o.Handle] = name
			c, ok := j.cursors[name]
			if !ok {
				c.Seq = o.First - 1
			}
			c.Handle = o.Handle
			if j.opened != nil {
				j.opened(o.Run, &c)
			}
			c.Handle = 0
			j.cursors[name] = c
			c.Handle = o.Handle
			answer.Streams = append(answer.Streams, c)
		}
		put(s, wire.OutOpened, answer)
	case f.Type == wire.OutGap.Type():
		g, err := wire.OutGap.Decode(f)
		if err != nil {
			j.t.Error(err)
		}
		j.note(streams[g.Handle], g.From, g.To, "", fmt.Sprintf("gap of %d: %s", g.To-g.From+1, g.Why))
		put(s, wire.OutAck, wire.OutAckPayload{Acks: []wire.OutSeq{{Handle: g.Handle, Seq: g.To}}})
	case placed && !j.mute:
		frame := f.AppendUnplaced(nil)
		s := s
		if j.note(streams[p.Handle], p.Seq, p.Seq, wire.Sum(p.At, frame), saidIn(j.t, frame)) && j.said != nil {
			j.said(s, p.Handle, p)
		}
		put(s, wire.OutAck, wire.OutAckPayload{Acks: []wire.OutSeq{{Handle: p.Handle, Seq: p.Seq}}})
		if j.cut--; j.cut == 0 {
			return false
		}
	case !placed && f.Type >= 30000:
		j.got = append(j.got, "plain "+saidIn(j.t, f.AppendUnplaced(nil)))
	}
	return true
}

// note takes a message or a gap of a stream, which must follow.
func (j *journal) note(stream string, from, to uint64, sum, what string) bool {
	lane, run, ok := strings.Cut(stream, " ")
	c := j.cursors[stream]
	if !ok || from != c.Seq+1 {
		j.t.Errorf("%q (%d to %d) comes after %d of the stream %q", what, from, to, c.Seq, stream)
		return false
	}
	j.cursors[stream] = wire.OutCursor{Seq: to, Sum: sum}
	n := slices.Index(j.runs, run)
	if n < 0 {
		n = len(j.runs)
		j.runs = append(j.runs, run)
	}
	j.got = append(j.got, fmt.Sprint(lane, " ", n, " ", what))
	return true
}

func saidIn(t *testing.T, frame []byte) string {
	_, text, ok := strings.Cut(string(frame), `"text":{"s":"`)
	if !ok {
		t.Errorf("frame %s", frame)
	}
	return strings.TrimSuffix(text, `"}}`)
}

// has waits until everything is quiet, and compares.
func (j *journal) has(want ...string) {
	j.t.Helper()
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.got, want) {
		j.t.Errorf("the journal has\n%q, want\n%q", j.got, want)
	}
}

func (j *journal) set(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
}

// emitter is an app that emits in Setup, and hands out its agent.
func emitter(ready chan<- *libagent.Agent, texts ...string) *testApp {
	return &testApp{setup: func(ag *libagent.Agent) error {
		for _, s := range texts {
			if err := libagent.Emit(context.Background(), ag, text, textPayload{s}); err != nil {
				return err
			}
		}
		ready <- ag
		return nil
	}}
}

func emit(t *testing.T, ag *libagent.Agent, m *wire.Message[textPayload], s string) {
	t.Helper()
	if err := libagent.Emit(context.Background(), ag, m, textPayload{s}); err != nil {
		t.Error(err)
	}
}

// inBoth runs a test with an outbox in memory and with one in a folder.
func inBoth(t *testing.T, test func(t *testing.T, dir string)) {
	t.Run("memory", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, "") }) })
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) { test(t, dir) })
	})
}

func withDir(dir string) func(*libagent.Options, *testConf) {
	return func(_ *libagent.Options, c *testConf) { c.Outbox.Dir = dir }
}

// Connections that end, with or without a word of what was taken, lose nothing and bring nothing twice.
func TestKeptUntilAcknowledged(t *testing.T) {
	inBoth(t, func(t *testing.T, dir string) {
		j := newJournal(t)
		j.cut = 2
		srv := newServer(t, j.serve)
		ready := make(chan *libagent.Agent, 1)
		r := start(t, srv, emitter(ready, "one", "two", "three"), withDir(dir))
		ag := <-ready
		time.Sleep(10 * time.Second)
		emit(t, ag, text, "four")
		emit(t, ag, alarm, "fire")
		synctest.Wait()
		if got, want := slices.Sorted(slices.Values(j.got)), []string{"0 1 fire", "1 0 four", "1 0 one", "1 0 three", "1 0 two"}; dir != "" && !slices.Equal(got, want) {
			t.Errorf("the journal has %q, want %q", got, want)
		}
		if s := ag.Status().Outbox; s.Messages != 0 || !s.Acknowledged || !s.Oldest.IsZero() || s.Dropped != 0 {
			t.Errorf("the status says %+v", s)
		}
		j.set(func() { j.mute = true })
		emit(t, ag, text, "unheard")
		synctest.Wait()
		if s := ag.Status().Outbox; s.Messages != 1 || time.Since(s.Oldest) > time.Minute {
			t.Errorf("a message that is not acknowledged is not kept: %+v", s)
		}
		j.set(func() { j.mute = false })
		srv.Down(true)
		stop(t, r)
	})
}

// What was accepted is found at the next start, and goes before what is new, under its own name.
func TestOutboxOutlivesAgent(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t)
		srv := newServer(t, j.serve)
		srv.Down(true)
		ready := make(chan *libagent.Agent, 1)
		for _, s := range []string{"one", "two"} {
			r := start(t, srv, emitter(ready, s), withDir(dir))
			<-ready
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
		}
		srv.Down(false)
		r := start(t, srv, emitter(ready, "three"), withDir(dir))
		<-ready
		time.Sleep(5 * time.Second)
		j.has("1 0 one", "1 1 two", "1 2 three")
		stop(t, r)
		if strings.Contains(r.Log(), j.runs[0]) {
			t.Error("the log tells the name of a run")
		}
	})
	info, err := os.Stat(filepath.Join(dir, "ledger.json"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the ledger: %v, %v", info, err)
	}
}

// A server that was set back gets again what is still there, even what a former run had sent, and is told what is missing.
func TestServerSetBack(t *testing.T) {
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			srv := newServer(t, j.serve)
			ready := make(chan *libagent.Agent, 1)
			r := start(t, srv, emitter(ready, "one", "two"), withDir(dir))
			<-ready
			time.Sleep(5 * time.Second)
			j.has("1 0 one", "1 0 two")
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			j.set(func() { j.cursors, j.got = make(map[string]wire.OutCursor), nil })
			r = start(t, srv, emitter(ready, "three"), withDir(dir))
			<-ready
			time.Sleep(5 * time.Second)
			j.has("1 0 one", "1 0 two", "1 1 three")
			stop(t, r)
			if strings.Count(r.Log(), "an older state of it") != 1 {
				t.Errorf("the log does not say that the server was set back:\n%s", r.Log())
			}
		})
	})
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			srv := newServer(t, j.serve)
			ready := make(chan *libagent.Agent, 1)
			r := start(t, srv, emitter(ready, "one", "two"), nil)
			ag := <-ready
			time.Sleep(5 * time.Second)
			j.set(func() { j.cut = 1 })
			emit(t, ag, text, "three") // as it goes, so does the connection
			synctest.Wait()
			j.set(func() { j.cursors, j.got = make(map[string]wire.OutCursor), nil })
			time.Sleep(10 * time.Second)
			emit(t, ag, text, "four")
			j.has("1 0 gap of 3: gone", "1 0 four")
			stop(t, r)
		})
	})
}

// A process that notices a copy of itself gives what is left, and what is to come, another name.
func TestCopyIsNoticed(t *testing.T) {
	for name, other := range map[string]func(*wire.OutCursor){
		"beyond what is here":      func(c *wire.OutCursor) { c.Seq = 99 },
		"another message is there": func(c *wire.OutCursor) { c.Seq, c.Sum = 1, "0123456789abcdef" },
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, dir string) {
				j := newJournal(t)
				first := ""
				j.opened = func(run string, c *wire.OutCursor) {
					if first == "" || first == run {
						first = run
						other(c)
					}
				}
				srv := newServer(t, j.serve)
				ready := make(chan *libagent.Agent, 1)
				r := start(t, srv, emitter(ready, "one", "two"), withDir(dir))
				ag := <-ready
				time.Sleep(5 * time.Second)
				emit(t, ag, text, "three")
				j.has("1 0 one", "1 0 two", "1 0 three")
				if len(j.runs) != 1 || j.runs[0] == first {
					t.Errorf("the messages came under the runs %q, the copy's is %s", j.runs, first)
				}
				stop(t, r)
				if strings.Count(r.Log(), "a copy of this agent") != 1 {
					t.Errorf("the log does not say it:\n%s", r.Log())
				}
			})
		})
	}
}

// Of what tells of now only the newest waits; what needs a connection is refused without one.
func TestTraits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t)
		srv := newServer(t, j.serve)
		srv.Down(true)
		ready := make(chan *libagent.Agent, 1)
		r := start(t, srv, emitter(ready), nil)
		ag := <-ready
		for _, s := range []string{"old", "older", "new"} {
			emit(t, ag, latest, s)
		}
		if err := libagent.Emit(t.Context(), ag, live, textPayload{"nobody there"}); !errors.Is(err, libagent.ErrNotConnected) {
			t.Errorf("without a connection: %v", err)
		}
		srv.Down(false)
		time.Sleep(10 * time.Second)
		emit(t, ag, live, "somebody there")
		j.has("plain new", "plain somebody there")
		stop(t, r)
	})
}

// A server of the field gets what it always got, byte for byte, and each message once.
func TestOutboxWithFieldServer(t *testing.T) {
	inBoth(t, func(t *testing.T, dir string) {
		got := make(chan string, 10)
		srv := newServer(t, func(s *session) {
			s.accept()
			for {
				f, err := s.Receive()
				if err != nil {
					return
				}
				if f.Type != wire.AgentInfo.Type() {
					got <- string(f.AppendUnplaced(nil))
				}
			}
		})
		ready := make(chan *libagent.Agent, 1)
		r := start(t, srv, emitter(ready, "one"), withDir(dir))
		emit(t, <-ready, alarm, "fire")
		time.Sleep(10 * time.Second)
		stop(t, r)
		close(got)
		var all []string
		for s := range got {
			all = append(all, s)
		}
		slices.Sort(all)
		if want := []string{`{"type":30001,"text":{"s":"one"}}`, `{"type":30012,"text":{"s":"fire"}}`}; !slices.Equal(all, want) {
			t.Errorf("the server got %q, want %q", all, want)
		}
	})
}

// A server that says what cannot be costs the connection, never a message.
func TestHostileJournal(t *testing.T) {
	for name, frame := range map[string]string{
		"acknowledges what was not sent": `{"type":20002,"out_ack":{"acks":[{"h":%d,"seq":99}]}}`,
		"no payload":                     `{"type":20002}`,
		"opened without payload":         `{"type":20001,"x":%d}`,
		"lost without payload":           `{"type":20004,"x":%d}`,
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, dir string) {
				j := newJournal(t)
				j.said = func(s *session, h uint64, p wire.Place) {
					if j.said = nil; strings.Contains(frame, "%d") {
						s.raw(fmt.Sprintf(frame, h))
						return
					}
					s.raw(frame)
				}
				srv := newServer(t, j.serve)
				ready := make(chan *libagent.Agent, 1)
				r := start(t, srv, emitter(ready, "one", "two"), withDir(dir))
				<-ready
				time.Sleep(10 * time.Second)
				j.has("1 0 one", "1 0 two")
				if strings.Count(r.Log(), "connection lost") != 1 {
					t.Errorf("the connection was not ended once:\n%s", r.Log())
				}
				stop(t, r)
			})
		})
	}
	t.Run("opens and loses", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			lost := 3
			j.said = func(s *session, h uint64, _ wire.Place) {
				if lost--; lost >= 0 {
					put(s, wire.OutLost, wire.OutLostPayload{Handle: h})
				}
			}
			srv := newServer(t, j.serve)
			ready := make(chan *libagent.Agent, 1)
			r := start(t, srv, emitter(ready, "one", "two", "three", "four", "five"), nil)
			<-ready
			time.Sleep(time.Minute)
			synctest.Wait()
			if j.opens < 2 || len(j.cursors) != 1 {
				t.Errorf("a stream that was lost is opened %d times", j.opens)
			}
			stop(t, r)
		})
	})
}

// A full folder makes Emit wait, or drops the oldest and says so to the server: as configured.
func TestFullFolder(t *testing.T) {
	const n, pad = 40, 50_000
	for _, full := range []string{"wait", "drop"} {
		t.Run(full, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(t)
				srv := newServer(t, j.serve)
				srv.Down(true)
				ready := make(chan *libagent.Agent, 1)
				r := start(t, srv, emitter(ready), func(_ *libagent.Options, c *testConf) {
					c.Outbox.Dir, c.Outbox.Disk, c.Outbox.Full = dir, 1<<20, full
				})
				ag := <-ready
				accepted := 0
				for i := range n {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					err := libagent.Emit(ctx, ag, text, textPayload{fmt.Sprintf("%02d%s", i, strings.Repeat("x", pad))})
					cancel()
					if errors.Is(err, context.DeadlineExceeded) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					accepted++
				}
				if full == "wait" && (accepted < 10 || accepted == n) || full == "drop" && accepted != n {
					t.Errorf("%d of %d messages were accepted", accepted, n)
				}
				dropped := ag.Status().Outbox.Dropped
				if (dropped > 0) != (full == "drop") {
					t.Errorf("%d were dropped", dropped)
				}
				if err := libagent.Emit(t.Context(), ag, text, textPayload{strings.Repeat("x", 2<<20)}); !errors.Is(err, libagent.ErrTooBig) {
					t.Errorf("a message that is larger than the folder may be: %v", err)
				}
				srv.Down(false)
				time.Sleep(20 * time.Second)
				synctest.Wait()
				want := accepted - int(dropped)
				if full == "drop" {
					want++ // the gap
					if len(j.got) > 0 && j.got[0] != fmt.Sprintf("1 0 gap of %d: full", dropped) {
						t.Errorf("the journal begins with %.40q", j.got[0])
					}
				}
				if len(j.got) != want {
					t.Errorf("the journal has %d entries, want %d", len(j.got), want)
				}
				stop(t, r)
			})
		})
	}
}

// A folder whose notes are gone or damaged still gives what is in it, and a second agent does not get it.
func TestDamagedFolder(t *testing.T) {
	for _, text := range []string{"", "x", `{"version":2}`, `{"version":1,"lanes":[[],[{"run":"00"}]]}`,
		`{"version":1,"lanes":[[],[{"run":"00000000000000000000000000000000","origin":"00000000000000000000000000000000","first":5,"last":1}]]}`} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			srv := newServer(t, j.serve)
			srv.Down(true)
			ready := make(chan *libagent.Agent, 1)
			r := start(t, srv, emitter(ready, "one"), withDir(dir))
			<-ready
			err := libagent.Run(t.Context(), emitter(ready), &libagent.Options{Config: confWithDir(dir)})
			if err == nil || !strings.Contains(err.Error(), "outbox.dir") || !strings.Contains(err.Error(), "in use already") {
				t.Errorf("a second agent with the same folder: %v", err)
			}
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "ledger.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			srv.Down(false)
			r = start(t, srv, emitter(ready, "two"), withDir(dir))
			<-ready
			time.Sleep(5 * time.Second)
			j.has("1 0 one", "1 1 two")
			stop(t, r)
		})
	}
}

func confWithDir(dir string) *testConf {
	c := validConf()
	c.Outbox.Dir = dir
	return c
}

// With a server that is away, memory stays as it is however much is emitted, and all of it is there afterwards.
func TestLongOutage(t *testing.T) {
	n := 100_000
	if os.Getenv("JKFRAME_SOAK") != "" {
		n = 3_600_000 // an hour at a thousand a second
	}
	var mu sync.Mutex
	got := 0
	drained := make(chan struct{})
	srv := newServer(t, func(s *session) {
		s.readCome()
		put(s, wire.Handshake, wire.HandshakePayload{OK: true, ID: s.come.ID, Ack: wire.AckVersion})
		for {
			f, err := s.Receive()
			if err != nil {
				return
			}
			if f.Type == wire.OutOpen.Type() {
				open, err := wire.OutOpen.Decode(f)
				if err != nil {
					t.Error(err)
					return
				}
				put(s, wire.OutOpened, wire.OutOpenedPayload{Streams: []wire.OutCursor{{Handle: open.Streams[0].Handle}}})
			}
			p, placed := f.Place()
			if !placed {
				continue
			}
			mu.Lock()
			got++
			if p.Seq != uint64(got) {
				t.Errorf("message %d comes as number %d", p.Seq, got)
			}
			if got == n {
				close(drained)
			}
			mu.Unlock()
			if p.Seq%100 == 0 || p.Seq == uint64(n) {
				put(s, wire.OutAck, wire.OutAckPayload{Acks: []wire.OutSeq{{Handle: p.Handle, Seq: p.Seq}}})
			}
		}
	})
	srv.Down(true)
	ready := make(chan *libagent.Agent, 1)
	dir := t.TempDir()
	r := start(t, srv, emitter(ready), func(_ *libagent.Options, c *testConf) { c.Outbox.Dir, c.Outbox.Disk = dir, 2<<30 })
	ag := <-ready
	pad := strings.Repeat("x", 160) // 200 bytes of frame
	emit(t, ag, text, pad)
	before, begin := heap(), time.Now()
	for range n - 1 {
		emit(t, ag, text, pad)
	}
	s := ag.Status().Outbox
	if s.Messages != n || s.Bytes > int64(n)*250+1<<20 {
		t.Errorf("%d messages of 200 bytes: the outbox has %d messages in %d bytes", n, s.Messages, s.Bytes)
	}
	grown := int64(heap()) - int64(before)
	t.Logf("%d messages in %v; memory has grown by %d bytes; %d bytes of disk", n, time.Since(begin), grown, s.Bytes)
	if grown > 6<<20 { // a queue keeps its last 4 MiB at hand
		t.Errorf("while the server was away memory has grown by %d bytes", grown)
	}
	srv.Down(false)
	begin = time.Now()
	<-drained
	t.Logf("drained in %v from the moment the server was back", time.Since(begin))
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
}

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
