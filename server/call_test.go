package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// echo is a call that a stranger has declared.
type echoPayload struct {
	Text string `json:"text"`
}

var echo = wire.Call[echoPayload, echoPayload]{
	Request: wire.Define[echoPayload](30000, "echo", "echo"),
	Reply:   wire.Define[echoPayload](30001, "echoed", "echoed"),
}

func call(ctx context.Context, f server.Fleet, id, text string) (string, error) {
	r, err := server.Call(ctx, f, id, echo, echoPayload{Text: text})
	return r.Text, err
}

// answerWith makes an agent answer every request with a frame, in which %s is the task.
func answerWith(frame string) func(*wire.Frame) []byte {
	return func(f *wire.Frame) []byte { return []byte(strings.ReplaceAll(frame, "%s", f.Task)) }
}

// echoBack answers echo.
func echoBack(f *wire.Frame) []byte {
	p, err := echo.Request.Decode(f)
	if err != nil {
		panic(err)
	}
	b, err := echo.Reply.Append(nil, f.Task, &p)
	if err != nil {
		panic(err)
	}
	return b
}

func TestCall(t *testing.T) {
	f := start(t, server.Config{})
	serve(f.agent(t, "x", "any-agent"), echoBack)
	for _, text := range []string{"", "hello", "<&>", "\u2028", strings.Repeat("x", 1<<20)} {
		if got, err := call(t.Context(), f, "x", text); err != nil || got != text {
			t.Errorf("echo of %d bytes: %d bytes, %v", len(text), len(got), err)
		}
	}
}

// Answers must find the caller that waits for them, whatever their order.
func TestCallsSideBySide(t *testing.T) {
	f := start(t, server.Config{})
	agent := f.agent(t, "x", "any-agent")
	const n = 100
	go func() { // answers in reverse
		var answers [][]byte
		for range n {
			frame, err := agent.Receive()
			if err != nil {
				t.Error(err)
				return
			}
			answers = append([][]byte{echoBack(frame)}, answers...)
		}
		if err := agent.Send(context.Background(), conn.Bulk, answers...); err != nil {
			t.Error(err)
		}
	}()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			text := fmt.Sprint(i)
			if got, err := call(t.Context(), f, "x", text); err != nil || got != text {
				t.Errorf("echo of %q: %q, %v", text, got, err)
			}
		})
	}
	wg.Wait()
}

// A task id is what agents of the field expect, and none comes twice.
func TestTaskIDs(t *testing.T) {
	f := start(t, server.Config{})
	agent := f.agent(t, "x", "any-agent")
	tasks := make(chan string, 3)
	serve(agent, func(f *wire.Frame) []byte {
		tasks <- f.Task
		return echoBack(f)
	})
	for i := range 3 {
		if _, err := call(t.Context(), f, "x", ""); err != nil {
			t.Fatal(err)
		}
		pattern := regexp.MustCompile(fmt.Sprintf(`^%s-%05d-[0-9a-f]{16}$`, time.Now().Format("20060102"), i+1))
		if task := <-tasks; !pattern.MatchString(task) {
			t.Errorf("task %q, want %v", task, pattern)
		}
	}
}

// Whatever an agent answers, the caller learns what it was, and the next call works.
func TestCallFails(t *testing.T) {
	f := start(t, server.Config{})
	for _, tt := range []struct {
		name, answer string
		check        func(error) bool
		result       string
	}{
		{"error", `{"type":0,"tid":"%s","errmsg":"disk \u001b[31mfull"}`, func(err error) bool {
			var e *server.AgentError
			return errors.As(err, &e) && e.Text == "disk \x1b[31mfull" && !strings.Contains(err.Error(), "\x1b")
		}, "agent_error"},
		{"long error", `{"type":0,"tid":"%s","errmsg":"` + strings.Repeat("ü", 5000) + `"}`, func(err error) bool {
			var e *server.AgentError
			return errors.As(err, &e) && e.Text == strings.Repeat("ü", 2048)
		}, "agent_error"},
		{"wrong type", `{"type":11,"tid":"%s"}`, func(err error) bool {
			var e *server.ReplyTypeError
			return errors.As(err, &e) && e.Got == 11 && e.Want == 30001
		}, "wrong_reply"},
		{"no payload", `{"type":30001,"tid":"%s"}`, func(err error) bool { return errors.Is(err, wire.ErrNoPayload) }, "bad_reply"},
		{"wrong payload", `{"type":30001,"tid":"%s","echoed":{"text":5}}`, func(err error) bool { return errors.Is(err, wire.ErrKind) }, "bad_reply"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := answerWith(tt.answer)
			c := f.agent(t, "x", "any-agent")
			var asked bool
			done := serve(c, func(f *wire.Frame) []byte {
				if asked {
					return echoBack(f)
				}
				asked = true
				return answer(f)
			})
			text, err := call(t.Context(), f, "x", "hello")
			if text != "" || !tt.check(err) {
				t.Errorf("got %q, %v", text, err)
			}
			if text, err := call(t.Context(), f, "x", "again"); text != "again" || err != nil {
				t.Errorf("the next call: %q, %v", text, err)
			}
			if f.metric(t, `agent_server_call_duration_seconds_count{result="`+tt.result+`"}`) == "" {
				t.Errorf("no call counted as %s", tt.result)
			}
			c.Close(conn.CodeNormal, "")
			<-done
		})
	}
}

func TestCallNobody(t *testing.T) {
	f := start(t, server.Config{})
	_, err := call(t.Context(), f, "x", "")
	wantErr(t, err, server.ErrNotFound)
	wantErr(t, server.Send(t.Context(), f, "x", wire.ChangeCollect, wire.ChangeCollectPayload{}), server.ErrNotFound)
	_, err = f.Get(t.Context(), "x")
	wantErr(t, err, server.ErrNotFound)
}

// Whoever asks an agent that leaves must not wait any longer.
func TestCallGone(t *testing.T) {
	f := start(t, server.Config{})
	c := f.agent(t, "x", "any-agent")
	go func() {
		c.Receive()
		c.Close(conn.CodeNormal, "")
	}()
	_, err := call(t.Context(), f, "x", "")
	wantErr(t, err, server.ErrGone)
}

// A call that has timed out, and its answer that comes late, leave the agent as it was.
func TestLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c := f.agent(t, "x", "any-agent")
		late := make(chan []byte, 2000)
		var slow bool
		serve(c, func(f *wire.Frame) []byte {
			if slow {
				late <- echoBack(f)
				return nil
			}
			return echoBack(f)
		})
		slow = true
		const n = 2000
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_, err := call(ctx, f, "x", "")
				wantErr(t, err, context.DeadlineExceeded)
			})
		}
		wg.Wait()
		synctest.Wait()
		slow = false
		for range n {
			if err := c.Send(context.Background(), conn.Bulk, <-late); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := call(context.Background(), f, "x", "on time"); text != "on time" || err != nil {
			t.Errorf("the call after them: %q, %v", text, err)
		}
		if got := f.metric(t, "agent_server_late_replies_total"); got != fmt.Sprint(n) {
			t.Errorf("%s late answers counted, want %d", got, n)
		}
		if got := f.metric(t, `agent_server_call_duration_seconds_count{result="timeout"}`); got != fmt.Sprint(n) {
			t.Errorf("%s timeouts counted, want %d", got, n)
		}
	})
}

// The reason why a caller gave up comes back to him.
func TestCallCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		serve(f.agent(t, "x", "any-agent"), func(*wire.Frame) []byte { return nil })
		reason := errors.New("no more interest")
		ctx, cancel := context.WithCancelCause(context.Background())
		errs := make(chan error)
		go func() {
			_, err := call(ctx, f, "x", "")
			errs <- err
		}()
		synctest.Wait()
		cancel(reason)
		wantErr(t, <-errs, reason)
	})
}

// An agent that reads nothing must not hold its callers for longer than they want to wait, nor for ever.
func TestCallStalledAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c := upgrade(t, f)
		defer c.Close()
		writeFrame(t, c, 1, comeFrame(`"x"`))
		readFrame(t, c)
		began := time.Now()
		errs := make(chan error)
		go func() { // its bytes are never taken
			_, err := call(context.Background(), f, "x", "")
			errs <- err
		}()
		synctest.Wait()
		if a, err := f.Get(context.Background(), "x"); err != nil || !a.Busy {
			t.Errorf("agent %+v, %v, want a busy one", a, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := call(ctx, f, "x", "")
		wantErr(t, err, context.DeadlineExceeded)
		wantErr(t, <-errs, server.ErrGone)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the stalled agent was given up after %v, want 10 s", took)
		}
		synctest.Wait()
		_, err = f.Get(context.Background(), "x")
		wantErr(t, err, server.ErrNotFound)
	})
}

// bomb is a payload whose decoding panics.
type bomb struct{}

func (*bomb) UnmarshalJSON([]byte) error  { panic("tick") }
func (bomb) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

var _ json.Unmarshaler = (*bomb)(nil)

// A mistake in a stranger's payload must harm nobody else.
func TestCallPanics(t *testing.T) {
	f := start(t, server.Config{})
	c := wire.Call[wire.Empty, bomb]{
		Request: wire.Define[wire.Empty](30002, "light", ""),
		Reply:   wire.Define[bomb](30003, "bomb", "bomb"),
	}
	serve(f.agent(t, "x", "any-agent"), func(f *wire.Frame) []byte {
		if f.Type == 30002 {
			return answerWith(`{"type":30003,"tid":"%s","bomb":{}}`)(f)
		}
		return echoBack(f)
	})
	_, err := server.Call(t.Context(), f, "x", c, wire.Empty{})
	var p *server.PanicError
	if !errors.As(err, &p) || p.Value != "tick" || !strings.Contains(string(p.Stack), "UnmarshalJSON") {
		t.Errorf("error %v, want the panic", err)
	}
	if !strings.Contains(f.logs.String(), "UnmarshalJSON") {
		t.Errorf("the log does not show where it panicked:\n%s", f.logs)
	}
	if text, err := call(t.Context(), f, "x", "alive"); text != "alive" || err != nil {
		t.Errorf("the next call: %q, %v", text, err)
	}
}

// unwritable is a payload that cannot be sent.
type unwritable struct{ F float64 }

func TestCallUnwritable(t *testing.T) {
	f := start(t, server.Config{})
	f.agent(t, "x", "any-agent")
	c := wire.Call[unwritable, wire.Empty]{
		Request: wire.Define[unwritable](30004, "nan", "nan"),
		Reply:   wire.Define[wire.Empty](30005, "ok", ""),
	}
	zero := 0.0
	if _, err := server.Call(t.Context(), f, "x", c, unwritable{F: 1 / zero}); err == nil {
		t.Error("no error for a number that JSON does not have")
	}
}

func TestSend(t *testing.T) {
	f := start(t, server.Config{})
	got := make(chan []string, 1)
	serve(f.agent(t, "x", "metrics-agent"), func(f *wire.Frame) []byte {
		p, err := wire.ChangeCollect.Decode(f)
		if err != nil {
			t.Error(err)
		}
		got <- p.Jobs
		return nil
	})
	if err := server.Send(t.Context(), f, "x", wire.ChangeCollect, wire.ChangeCollectPayload{Jobs: []string{"usage"}}); err != nil {
		t.Fatal(err)
	}
	if jobs := <-got; len(jobs) != 1 || jobs[0] != "usage" {
		t.Errorf("the agent got %q", jobs)
	}
}

// A server that keeps something of each request runs out of memory after some weeks.
func TestManyCallsLeaveNothing(t *testing.T) {
	total := 200_000
	if raceDetector {
		total = 20_000
	}
	f := start(t, server.Config{})
	serve(f.agent(t, "x", "example-agent"), bar)
	calls := func(n int) {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for range n / 50 {
					if _, err := server.Call(context.Background(), f, "x", wire.Foo, wire.Empty{}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	calls(1000) // what grows once has grown
	goroutines, before := runtime.NumGoroutine(), heapInUse()
	calls(total)
	if grown := int64(heapInUse()) - int64(before); grown > 64<<10 {
		t.Errorf("%d calls left %d bytes", total, grown)
	}
	if n := runtime.NumGoroutine(); n > goroutines+5 {
		t.Errorf("%d goroutines, before there were %d", n, goroutines)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
