package libagent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

// expect takes the next message, and compares it: number, task, and the text of its payload or error.
func expect(t *testing.T, s *agenttest.Session, want string) {
	t.Helper()
	f, err := s.Next()
	if err != nil {
		t.Fatalf("want %s, got %v", want, err)
	}
	if got := shown(t, f); !strings.Contains(got, want) {
		t.Errorf("the server got %q, want %q", got, want)
	}
}

// shown is a message as tests compare it.
func shown(t *testing.T, f *wire.Frame) string {
	t.Helper()
	said := f.Error
	if f.Type == text.Type() {
		p, err := text.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		said = p.S
	}
	return fmt.Sprintf("%d %s %s", f.Type, f.Task, said)
}

func TestHandle(t *testing.T) {
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.Handle(ag, wire.Foo, func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil })
		libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) {
			switch q.S {
			case "error":
				return q, errors.New("no luck")
			case "panic":
				panic("oh")
			}
			return q, nil
		})
		libagent.HandleNotice(ag, notice, func(context.Context, textPayload) error { return errors.New("noticed") })
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, ag *agenttest.Agent) {
		s.SendRaw(`{"type":8,"tid":"t1"}`)
		expect(t, s, "9 t1")
		s.SendRaw(`{"type":30000,"tid":"t2","ask":{"s":"hi"}}`)
		expect(t, s, "30001 t2 hi")
		s.SendRaw(`{"type":30000,"tid":"t3","ask":{"s":"error"}}`)
		expect(t, s, "0 t3 no luck")
		s.SendRaw(`{"type":30000,"tid":"t4","ask":{"s":"panic"}}`)
		expect(t, s, "0 t4 ask: panic: oh")
		if strings.Count(ag.Log(), "task_test.go") == 0 {
			t.Error("the stack of the panic is not in the log")
		}
		s.SendRaw(`{"type":30003,"tid":"t5","notice":{}}`)
		expect(t, s, "0 t5 noticed")
	})
}

// Nothing that the server can send ends the agent or stops it from answering.
func TestHostileFrames(t *testing.T) {
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) { return q, nil })
		return nil
	}}
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	for _, f := range []string{
		`{"type":2}`, `{"type":2,"handshake":{"ok":false}}`, `{"type":1}`, `{"type":0,"errmsg":"x"}`, `{"type":10}`, `{"type":14}`, `{"type":99999}`, `{"type":-1}`,
		`{"type":30003}`, ``, `null`, `[]`, `7`, `{}`, `{"type":"8"}`, `{"type":8.5}`, `{"type":1e400}`, `{"type":8,"type":9}`, `{"type":NaN}`, deep,
		`{"type":8,"tid":` + strings.Repeat("9", 300000) + `}`, `{"type":30000,"ask":{}}`, `{`,
	} {
		name := f[:min(len(f), 30)]
		t.Run(name, func(t *testing.T) {
			inBubble(t, app, func(s *agenttest.Session, _ *agenttest.Agent) {
				s.SendRaw(f)
				s.SendRaw(`{"type":30000,"tid":"after","ask":{"s":"alive"}}`)
				for {
					got, err := s.Next()
					if err != nil {
						t.Fatalf("the agent is gone: %v", err)
					}
					if got.Task == "after" {
						return
					}
				}
			})
		})
	}
	for _, f := range []string{`{"type":30000,"tid":"t"}`, `{"type":30000,"tid":"t","ask":null}`, `{"type":30000,"tid":"t","ask":[1]}`, `{"type":30000,"tid":"t","ask":{"s":1}}`} {
		inBubble(t, app, func(s *agenttest.Session, _ *agenttest.Agent) {
			s.SendRaw(f)
			expect(t, s, "0 t ") // the server is told what is wrong
		})
	}
}

// A task has many replies, in order, also after its handler has returned, until it is closed.
func TestHandleStream(t *testing.T) {
	var closed atomic.Bool
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.HandleStream(ag, stream, func(ctx context.Context, task *libagent.Task, q textPayload) error {
			switch q.S {
			case "error":
				return errors.New("cannot begin")
			case "panic":
				panic("oh")
			}
			go func() {
				for i := range 1000 {
					if err := libagent.Reply(task, text, textPayload{fmt.Sprint(i)}); err != nil {
						t.Errorf("reply %d: %v", i, err)
					}
				}
				task.Close()
				task.Close()
				closed.Store(ctx.Err() != nil)
				if err := libagent.Reply(task, text, textPayload{"late"}); !errors.Is(err, libagent.ErrClosed) {
					t.Errorf("a reply after Close: %v", err)
				}
			}()
			return nil
		})
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, _ *agenttest.Agent) {
		s.SendRaw(`{"type":30002,"tid":"t1","stream":{"s":"go"}}`)
		for i := range 1000 {
			expect(t, s, fmt.Sprintf("30001 t1 %d", i))
		}
		s.SendRaw(`{"type":30002,"tid":"t2","stream":{"s":"error"}}`)
		expect(t, s, "0 t2 cannot begin")
		s.SendRaw(`{"type":30002,"tid":"t3","stream":{"s":"panic"}}`)
		expect(t, s, "0 t3 stream: panic")
		synctest.Wait()
		if !closed.Load() {
			t.Error("the context of a closed task goes on: its children would run for ever")
		}
	})
}

// One slow handler holds up no other, and too many requests are refused instead of being kept without bound.
func TestConcurrency(t *testing.T) {
	release := make(chan struct{})
	var now, most atomic.Int64
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			defer now.Add(-1)
			<-release
			return q, nil
		})
		libagent.Handle(ag, wire.Foo, func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil })
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, _ *agenttest.Agent) {
		release = make(chan struct{}) // of this bubble
		const asked = 32 + 1024 + 5
		for i := range asked {
			s.SendRaw(fmt.Sprintf(`{"type":30000,"tid":"t%d","ask":{}}`, i))
		}
		for range 5 {
			expect(t, s, "too many requests of type ask at once")
		}
		s.SendRaw(`{"type":8,"tid":"foo"}`)
		expect(t, s, "9 foo")
		if most.Load() != 32 {
			t.Errorf("%d handlers ran at once", most.Load())
		}
		close(release)
		for range asked - 5 {
			expect(t, s, "30001 t")
		}
	})
}

// What is emitted while there is no connection is delivered later, in order; with a full outbox the author waits and
// memory stays bounded.
func TestEmit(t *testing.T) {
	const n = 3000
	refused := make(chan error, 1)
	app := &testApp{setup: func(ag *libagent.Agent) error {
		for i := range n {
			if err := libagent.Emit(context.Background(), ag, text, textPayload{fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for {
			if err := libagent.Emit(ctx, ag, text, textPayload{strings.Repeat("x", 1<<20)}); err != nil {
				refused <- err
				return nil
			}
		}
	}}
	synctest.Test(t, func(t *testing.T) {
		refused = make(chan error, 1)
		got := make(chan int)
		srv := newServer(t, func(s *session) {
			s.accept()
			for i := range n {
				if f, err := s.next(); err != nil || shown(t, f) != fmt.Sprintf("30001  %d", i) {
					t.Errorf("message %d: %v", i, err)
				}
			}
			big := 0
			for {
				f, err := s.next()
				if err != nil {
					return
				}
				if len(shown(t, f)) > 1<<20 {
					big++
				}
				if big == 2 { // three quarters of 4 MiB, less the small ones
					got <- big
				}
			}
		})
		ag := start(t, srv, app, nil)
		if err := <-refused; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full outbox: %v", err)
		}
		<-got
		stop(t, ag)
	})
}

func TestEmitTooBig(t *testing.T) {
	app := &testApp{setup: func(ag *libagent.Agent) error {
		return libagent.Emit(context.Background(), ag, text, textPayload{strings.Repeat("x", 17<<20)})
	}}
	if err := libagent.Run(t.Context(), app, &libagent.Options{Config: validConf()}); !errors.Is(err, libagent.ErrTooBig) {
		t.Errorf("a message over the limit: %v; it would break the connection", err)
	}
}

func validConf() *testConf {
	c := &testConf{}
	c.Server = []string{"127.0.0.1:1"}
	return c
}
