package agenttest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// TaskError is an agent's error as the answer to a request.
type TaskError struct {
	Task string
	Msg  string // what the agent said
}

func (e *TaskError) Error() string { return fmt.Sprintf("task %s: %s", e.Task, e.Msg) }

// Call sends a request and waits for its reply. An error is the agent's, a [*TaskError], or the end of the connection.
func Call[Q, R any](s *Session, c wire.Call[Q, R], q Q) (R, error) {
	s.server.tb.Helper()
	return Reply(s, Send(s, c.Request, q), c.Reply)
}

// Send sends a message as a new task, and returns the id of that. A connection that has ended takes it in silence: the
// reply tells.
func Send[Q any](s *Session, m *wire.Message[Q], q Q) (task string) {
	s.server.tb.Helper()
	s.state.change(func() {
		s.tasks++
		task = fmt.Sprintf("task-%d", s.tasks)
	})
	SendTask(s, task, m, q)
	return task
}

// SendTask is [Send] with an id of the test's own, "" for a message that belongs to no task.
func SendTask[Q any](s *Session, task string, m *wire.Message[Q], q Q) {
	s.server.tb.Helper()
	b, err := m.Append(nil, task, &q)
	if err != nil {
		s.server.tb.Fatalf("send %s: %v", m.Name(), err)
	}
	s.SendRaw(string(b))
}

// SendRaw sends a text as a frame, whatever it is.
func (s *Session) SendRaw(frame string) {
	// Its error is the end of the connection, which whoever waits for something hears of.
	_ = s.conn.Send(context.Background(), conn.Control, []byte(frame))
}

// Reply waits for the next message of a task, which is to be one of this declaration. An error is the agent's, a
// [*TaskError], or the end of the connection.
func Reply[R any](s *Session, task string, m *wire.Message[R]) (R, error) {
	s.server.tb.Helper()
	var none R
	f, err := s.take(fmt.Sprintf("%s of task %s", m.Name(), task), func(f *wire.Frame) bool { return f.Task == task })
	switch {
	case err != nil:
		return none, err
	case f.Type == wire.ErrorType:
		return none, &TaskError{Task: task, Msg: f.Error}
	}
	r, err := m.Decode(f)
	if err != nil {
		s.server.tb.Fatalf("want %s: %v\nin %.1000q", m.Name(), err, f.Bytes())
	}
	return r, nil
}

// Wait waits for the next message of this declaration, of whatever task, and passes over others, which are kept. The end
// of the connection fails the test.
func Wait[T any](s *Session, m *wire.Message[T]) T {
	s.server.tb.Helper()
	f, err := s.take(m.Name(), func(f *wire.Frame) bool { return f.Type == m.Type() })
	if err != nil {
		s.server.tb.Fatalf("want %s: %v", m.Name(), err)
	}
	v, err := m.Decode(f)
	if err != nil {
		s.server.tb.Fatalf("%v\nin %.1000q", err, f.Bytes())
	}
	return v
}

// Poll returns the next message of this declaration that has come already, false if there is none.
func Poll[T any](s *Session, m *wire.Message[T]) (v T, ok bool) {
	s.server.tb.Helper()
	var f *wire.Frame
	s.state.look(func() {
		if i := slices.IndexFunc(s.kept, func(f *wire.Frame) bool { return f.Type == m.Type() }); i >= 0 {
			f = s.kept[i]
			s.kept = slices.Delete(s.kept, i, i+1)
		}
	})
	if f == nil {
		return v, false
	}
	v, err := m.Decode(f)
	if err != nil {
		s.server.tb.Fatalf("%v\nin %.1000q", err, f.Bytes())
	}
	return v, true
}

// Next waits for the next message that is no monitor report, of whatever type. An error is the end of the connection.
func (s *Session) Next() (*wire.Frame, error) {
	s.server.tb.Helper()
	return s.take("a message", func(f *wire.Frame) bool { return f.Type != wire.AgentInfo.Type() })
}

// errEnded is the end of a connection over which something was to come.
var errEnded = errors.New("the connection has ended")

// take waits for the first message that is wanted.
func (s *Session) take(what string, wanted func(*wire.Frame) bool) (f *wire.Frame, err error) {
	s.server.tb.Helper()
	s.await(what, func() bool {
		if i := slices.IndexFunc(s.kept, wanted); i >= 0 {
			f = s.kept[i]
			s.kept = slices.Delete(s.kept, i, i+1)
			return true
		}
		if s.why != nil {
			err = fmt.Errorf("%w: %w%s", errEnded, s.why, s.held())
		}
		return err != nil
	})
	return f, err
}
