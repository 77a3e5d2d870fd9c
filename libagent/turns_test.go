package libagent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

// inBubble runs an agent against a server of agenttest in fake time.
func inBubble(t *testing.T, app libagent.App, talk func(s *agenttest.Session, ag *agenttest.Agent)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, nil)
		c := &testConf{}
		c.ID, c.Reconnect.Spread = "test-01", -1
		ag := srv.Start(app, &libagent.Options{Config: c})
		talk(srv.Accept(), ag)
	})
}

// order is what handlers note.
type order struct {
	mu   sync.Mutex // guards what
	what []string
}

func (o *order) note(s string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.what = append(o.what, s)
}

// With one at once, requests are handled one after the other in the order in which they came: the input of a terminal would
// be garbled otherwise.
func TestOneAtOnce(t *testing.T) {
	var o order
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.HandleNotice(ag, notice, func(_ context.Context, q textPayload) error {
			time.Sleep(time.Millisecond)
			o.note(q.S)
			return nil
		}, libagent.AtOnce(1))
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, _ *agenttest.Agent) {
		var want []string
		for i := range 500 {
			want = append(want, fmt.Sprint(i))
			agenttest.SendTask(s, "", notice, textPayload{fmt.Sprint(i)})
		}
		time.Sleep(time.Second)
		o.mu.Lock()
		defer o.mu.Unlock()
		if !slices.Equal(o.what, want) {
			t.Errorf("handled in the order %v", o.what)
		}
	})
}

// A task with many replies counts until it is closed, those beyond wait, and those beyond that are told how many there are.
func TestStreamsQueue(t *testing.T) {
	tasks := make(chan *libagent.Task, 10)
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.HandleStream(ag, stream, func(_ context.Context, task *libagent.Task, q textPayload) error {
			tasks <- task
			return libagent.Reply(task, text, textPayload{"began"})
		}, libagent.AtOnce(2), libagent.Queue(1))
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, ag *agenttest.Agent) {
		tasks = make(chan *libagent.Task, 10) // of this bubble
		began := func(id string) {
			t.Helper()
			if r, err := agenttest.Reply(s, id, text); err != nil || r.S != "began" {
				t.Errorf("%s: %q, %v", id, r.S, err)
			}
		}
		one, two := agenttest.Send(s, stream, textPayload{}), agenttest.Send(s, stream, textPayload{})
		began(one)
		began(two)
		three, four := agenttest.Send(s, stream, textPayload{}), agenttest.Send(s, stream, textPayload{})
		if _, err := agenttest.Reply(s, four, text); err == nil || !strings.Contains(err.Error(), "too many requests of type stream at once: 2 run, 1 wait") {
			t.Errorf("a task that is one too many: %v", err)
		}
		time.Sleep(time.Hour)
		(<-tasks).Close()
		began(three)
		(<-tasks).Close()
		(<-tasks).Close()
		five := agenttest.Send(s, stream, textPayload{})
		began(five)
		(<-tasks).Close()
	})
}

// When the agent stops, what waits for its turn is told so and does not begin any more.
func TestStopRefusesWaiting(t *testing.T) {
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.Handle(ag, echo, func(ctx context.Context, q textPayload) (textPayload, error) {
			<-ctx.Done()
			return q, nil
		}, libagent.AtOnce(1))
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, ag *agenttest.Agent) {
		first := agenttest.Send(s, ask, textPayload{"first"})
		second := agenttest.Send(s, ask, textPayload{"second"})
		synctest.Wait()
		if err := ag.Stop(); err != nil {
			t.Errorf("the agent ended with %v", err)
		}
		if r, err := agenttest.Reply(s, first, text); err != nil || r.S != "first" {
			t.Errorf("what ran is answered with %q, %v", r.S, err)
		}
		if _, err := agenttest.Reply(s, second, text); err == nil || !strings.Contains(err.Error(), "agent stops") {
			t.Errorf("what waited is answered with %v", err)
		}
	})
}

// An author's mistakes end the start and are named; the server would take his message for one of the protocol's.
func TestDeclarationMistakes(t *testing.T) {
	low := wire.Define[textPayload](77, "mine", "mine")
	taken := wire.Define[textPayload](10, "mine", "mine")
	extension := wire.Define[textPayload](29999, "mine", "mine")
	twin := wire.Define[textPayload](text.Type(), "twin", "twin")
	handle := func(ag *libagent.Agent, m *wire.Message[textPayload]) {
		libagent.HandleNotice(ag, m, func(context.Context, textPayload) error { return nil })
	}
	reply := func(ag *libagent.Agent, m *wire.Message[textPayload], opts ...libagent.HandleOption) {
		libagent.Handle(ag, wire.Call[textPayload, textPayload]{Request: ask, Reply: m},
			func(_ context.Context, q textPayload) (textPayload, error) { return q, nil }, opts...)
	}
	for want, setup := range map[string]func(ag *libagent.Agent) error{
		"mine has the number 77, which belongs to the protocol": func(ag *libagent.Agent) error { handle(ag, low); return nil },
		"mine has the number 10, which is that of exec":         func(ag *libagent.Agent) error { handle(ag, taken); return nil },
		"an author's own begin at 30000":                        func(ag *libagent.Agent) error { reply(ag, extension); return nil },
		"messages text and twin have the same number, 30001":    func(ag *libagent.Agent) error { reply(ag, text); handle(ag, twin); return nil },
		"mine has the number 77, which": func(ag *libagent.Agent) error {
			return libagent.Emit(context.Background(), ag, low, textPayload{})
		},
		"message ask (30000): AtOnce(0): at least 1": func(ag *libagent.Agent) error { reply(ag, text, libagent.AtOnce(0)); return nil },
		"message ask (30000): Queue(-1)":             func(ag *libagent.Agent) error { reply(ag, text, libagent.Queue(-1)); return nil },
	} {
		err := libagent.Run(t.Context(), &testApp{setup: setup}, &libagent.Options{Config: validConf()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run = %v, want %q", err, want)
		}
	}
}

// A job's interval can be changed while it runs: shorter, none, and again.
func TestResetJob(t *testing.T) {
	var runs []time.Duration
	var job *libagent.Job
	begin := time.Now()
	app := &testApp{setup: func(ag *libagent.Agent) error {
		job = ag.Every("job", time.Hour, func(context.Context, *libagent.Agent) error {
			runs = append(runs, time.Since(begin).Round(time.Second))
			return nil
		})
		return nil
	}}
	inBubble(t, app, func(*agenttest.Session, *agenttest.Agent) {
		begin = time.Now()
		job.Reset(time.Minute)
		job.Reset(10 * time.Second)
		time.Sleep(25 * time.Second)
		job.Reset(0)
		time.Sleep(time.Hour)
		job.Reset(time.Minute)
		time.Sleep(61 * time.Second)
	})
	want := []time.Duration{10 * time.Second, 20 * time.Second, time.Hour + 85*time.Second}
	if !slices.Equal(runs, want) {
		t.Errorf("the job ran at %v, want %v", runs, want)
	}
}

// A job that is told to runs at once, whatever its interval is, and never beside itself.
func TestJobNow(t *testing.T) {
	var runs []time.Duration
	var job *libagent.Job
	begin := time.Now()
	app := &testApp{setup: func(ag *libagent.Agent) error {
		begin = time.Now()
		job = ag.Every("job", time.Hour, func(context.Context, *libagent.Agent) error {
			runs = append(runs, time.Since(begin).Round(time.Second))
			time.Sleep(10 * time.Second)
			return nil
		})
		job.Reset(0)
		job.Now()
		return nil
	}}
	inBubble(t, app, func(*agenttest.Session, *agenttest.Agent) {
		time.Sleep(5 * time.Second)
		job.Now()
		job.Now()
		time.Sleep(time.Minute)
	})
	if want := []time.Duration{0, 10 * time.Second}; !slices.Equal(runs, want) {
		t.Errorf("the job ran at %v, want %v", runs, want)
	}
}

// What an author starts beside everything else begins after Setup, ends with the agent, which waits for it, and harms
// nothing.
func TestGo(t *testing.T) {
	var o order
	var agent *libagent.Agent
	app := &testApp{setup: func(ag *libagent.Agent) error {
		agent = ag
		err := ag.Go("early", func(ctx context.Context, _ *libagent.Agent) error {
			o.note("early begins")
			<-ctx.Done()
			time.Sleep(time.Second)
			o.note("early ends")
			return ctx.Err()
		})
		o.note("setup ends")
		return err
	}}
	inBubble(t, app, func(_ *agenttest.Session, ag *agenttest.Agent) {
		for name, fn := range map[string]func(context.Context, *libagent.Agent) error{
			"panics": func(context.Context, *libagent.Agent) error { panic("oh") },
			"fails":  func(context.Context, *libagent.Agent) error { return errors.New("no luck") },
		} {
			if err := agent.Go(name, fn); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if log := ag.Log(); !strings.Contains(log, "panic=oh") || !strings.Contains(log, "no luck") || strings.Count(log, "msg=connected") != 1 {
			t.Errorf("the log does not tell what became of them:\n%s", log)
		}
		if err := ag.Stop(); err != nil {
			t.Errorf("the agent ended with %v", err)
		}
		if strings.Contains(ag.Log(), "name=early") {
			t.Errorf("the end of a function is taken for an error:\n%s", ag.Log())
		}
		if err := agent.Go("late", nil); !errors.Is(err, libagent.ErrStopping) {
			t.Errorf("after the end: %v", err)
		}
	})
	if s := strings.Join(o.what, ", "); s != "setup ends, early begins, early ends" {
		t.Errorf("order: %s", s)
	}
}
