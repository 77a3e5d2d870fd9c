package exec

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// Codes of a task that has no exit status, as in the field. A signal is -1 as well, which the agent decides.
const (
	CodeLost  = -65535 // nothing was heard within its timeout, or it never ended
	CodeWrong = -65534 // the agent said what it should not, or that it failed
)

// lateData is how long after the end of a command its last output may come, from agents that do not send it before.
const lateData = 100 * time.Millisecond

// taskMemory is how much of a task's output is in memory, in bytes; the rest is on disk.
const taskMemory = 16 << 10

// maxText is how much of an agent's text is kept, in bytes.
const maxText = 4096

// Task is a command on an agent. Its methods may be called by any number of goroutines at once.
type Task struct {
	ID      string       // unique
	Agent   server.Agent // as it was when the command was asked for
	Command string       // as it was asked for, for people

	made    time.Time
	owner   *Commands
	output  *l2cache.Buffer
	timeout time.Duration
	ordered bool // the agent sends all output before the end

	seq uint64 // orders the tasks; does not change
	pid int    // guarded by the table

	started chan struct{} // closed when the agent has said whether it runs, or will say nothing more
	done    chan struct{} // closed at the end

	mu       sync.Mutex // guards the fields below
	state    State
	startErr error
	running  bool      // the agent has said so
	ending   time.Time // when the agent has said how it ended, and its last output may be on its way; zero before
	over     bool
	timer    *time.Timer // of the timeout, or of the last output
	overdue  time.Time   // when the timeout was over and the agent was not there
	end      func()      // of the answers
}

// State is how a task stands.
type State struct {
	PID     int       // of the process, on the agent's host
	Begin   time.Time // in the agent's time
	Running bool
	End     time.Time // in the agent's time, zero while it runs
	Code    int64     // exit status, -1 for a signal, or one of the codes above
	Why     string    // of an end that was not its own, one of wire.Why…, from agents of ours
	Signal  string    // that ended it, from agents of ours
	Msg     string    // of the agent, with CodeWrong
	Size    int64     // bytes of output that are there
	Cut     int64     // bytes of output that are not
}

// State returns how the task stands now.
func (t *Task) State() State {
	t.mu.Lock()
	s := t.state
	t.mu.Unlock()
	stats := t.output.Stats()
	s.Size = stats.End
	s.Cut += stats.Discarded
	return s
}

// Done is closed when the task has ended and all its output is there.
func (t *Task) Done() <-chan struct{} { return t.done }

// Output returns a reader of the output from an offset on, which follows the command to its end. It fails once the task is
// forgotten.
func (t *Task) Output(from int64) *l2cache.BufferReader { return t.output.Reader(from) }

// take takes an answer of the agent.
func (t *Task) take(f *wire.Frame) (last bool) {
	switch f.Type {
	case wire.Execd.Type():
		return t.takeStart(f)
	case wire.ExecData.Type():
		if p, err := wire.ExecData.Decode(f); err == nil { // what cannot be read is left out, as in the field
			_, _ = t.output.Write(t.fresh(&p)) // what has no room is counted, and what comes after the end is nobody's
			t.more()
		}
		return false
	case wire.ExecDone.Type():
		return t.takeEnd(f)
	case wire.ErrorType:
		return t.wrong(&StartError{Msg: clip(f.Error)}, clip(f.Error))
	default:
		err := &server.ReplyTypeError{Want: wire.ExecData.Type(), Got: f.Type}
		return t.wrong(err, err.Error())
	}
}

// have is how many bytes of output have come, kept or not.
func (t *Task) have() uint64 {
	stats := t.output.Stats()
	return uint64(stats.End + stats.Discarded)
}

// fresh is what is new of a piece of output: after a connection was lost, agents of ours send some of it again, in order.
func (t *Task) fresh(p *wire.ExecDataPayload) []byte {
	if p.Offset == nil {
		return p.Data
	}
	have := t.have()
	if *p.Offset > have || have-*p.Offset >= uint64(len(p.Data)) {
		return nil
	}
	return p.Data[have-*p.Offset:]
}

func (t *Task) takeStart(f *wire.Frame) (last bool) {
	p, err := wire.Execd.Decode(f)
	if err != nil {
		return t.wrong(err, err.Error())
	}
	if !p.OK {
		return t.finish(State{Begin: p.Time, End: p.Time, Code: CodeWrong, Why: p.Why, Msg: clip(p.Msg)}, &StartError{Msg: clip(p.Msg), Why: p.Why})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running || t.over {
		return t.over
	}
	t.running = true
	t.state.PID, t.state.Begin, t.state.Running = p.PID, p.Time, true
	t.timer.Reset(t.timeout + t.owner.cfg.Grace) // it may have waited for its turn
	t.owner.tasks.started(t, p.PID)
	close(t.started)
	return false
}

func (t *Task) takeEnd(f *wire.Frame) (last bool) {
	p, err := wire.ExecDone.Decode(f)
	if err != nil {
		return t.wrong(err, err.Error())
	}
	if p.Size > t.have() {
		return false // some output was lost with a connection: that and the end come again
	}
	t.mu.Lock()
	if !t.ending.IsZero() || t.over {
		defer t.mu.Unlock()
		return t.over
	}
	end := t.state
	end.Running, end.End, end.Code, end.Why, end.Signal = false, p.Time, p.Code, p.Why, p.Signal
	end.Cut = int64(min(p.Cut, 1<<62))
	if t.ordered {
		t.mu.Unlock()
		return t.finish(end, nil)
	}
	t.ending = time.Now()
	t.timer.Stop()
	t.timer = time.AfterFunc(lateData, func() { t.finish(end, nil) })
	t.mu.Unlock()
	return false
}

// more notes output: there may be more after the end, but not for ever.
func (t *Task) more() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ending.IsZero() && !t.over && time.Since(t.ending) < t.owner.cfg.Grace {
		t.timer.Reset(lateData)
	}
}

// wrong ends the task because of what the agent said.
func (t *Task) wrong(start error, msg string) (last bool) {
	t.mu.Lock()
	s := t.state
	t.mu.Unlock()
	s.Running, s.End, s.Code, s.Msg = false, time.Now(), CodeWrong, msg
	return t.finish(s, start)
}

// finish ends the task. The error is for who waits for its start, if it has not started.
func (t *Task) finish(s State, start error) (last bool) {
	t.mu.Lock()
	if t.over {
		t.mu.Unlock()
		return true
	}
	t.over = true
	t.state = s
	t.timer.Stop()
	if !t.running {
		t.startErr = cmpOr(start, errors.New("the command has ended before it began"))
		close(t.started)
	}
	end := t.end
	t.mu.Unlock()
	t.output.CloseWrite()
	t.owner.tasks.ended(t, time.Now())
	close(t.done)
	if end != nil {
		end()
	}
	return true
}

func cmpOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// discard ends a task that was not sent.
func (t *Task) discard(why error) {
	if t.seq == 0 { // nobody remembers it
		t.timer.Stop()
		t.forget()
		return
	}
	t.finish(State{Code: CodeLost, End: time.Now()}, why)
}

// answered notes how to end the answers.
func (t *Task) answered(end func()) {
	t.mu.Lock()
	t.end = end
	over := t.over
	t.mu.Unlock()
	if over {
		end()
	}
}

// expire is called when the timeout is over and a while more. A command whose agent is there has been lost; one whose agent is
// away may still be told of.
func (t *Task) expire() {
	away := t.owner.away(t.Agent.ID)
	t.mu.Lock()
	if t.over || !t.ending.IsZero() {
		t.mu.Unlock()
		return
	}
	now := time.Now()
	if t.overdue.IsZero() {
		t.overdue = now
	}
	if away && now.Sub(t.overdue) < t.owner.cfg.Keep {
		t.timer.Reset(t.owner.cfg.Grace)
		t.mu.Unlock()
		return
	}
	s := t.state
	t.mu.Unlock()
	s.Running, s.End, s.Code, s.Why = false, now, CodeLost, wire.WhyTimeout
	t.finish(s, fmt.Errorf("agent %q: %w", t.Agent.ID, errNoAnswer))
}

// forget gives back what the task holds. Nobody finds it any more.
func (t *Task) forget() { _ = t.output.Close() }

// clip bounds a text of an agent.
func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return s
}

// Age is how long the task has been there, in the server's time.
func (t *Task) Age() time.Duration { return time.Since(t.made) }
