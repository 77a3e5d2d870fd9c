package server

import (
	"runtime/debug"
	"sync"

	"github.com/jkstack/jkframe/v2/wire"
)

// lasting are the requests whose answers outlive connections, see [Fleet.Begin].
type lasting struct {
	mu sync.Mutex // guards the field below
	by map[string]*lastingTask
}

// lastingTask is one of them.
type lastingTask struct {
	agent    string
	take     func(*wire.Frame) (last bool)
	panicked func(agent string, p *PanicError)

	taking chan struct{} // has room for one: who is in it may take
	over   chan struct{} // closed at the end
	once   sync.Once
}

// add returns how to end the task.
func (l *lasting) add(task, agent string, take func(*wire.Frame) bool, panicked func(string, *PanicError)) (end func()) {
	t := &lastingTask{agent: agent, take: take, panicked: panicked, taking: make(chan struct{}, 1), over: make(chan struct{})}
	l.mu.Lock()
	if l.by == nil {
		l.by = make(map[string]*lastingTask)
	}
	l.by[task] = t
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		delete(l.by, task)
		l.mu.Unlock()
		t.once.Do(func() { close(t.over) })
	}
}

// accept has an answer of an agent taken, and reports whether somebody waits for it. An id that belongs to another agent is
// nobody's.
func (l *lasting) accept(agent string, f *wire.Frame) bool {
	l.mu.Lock()
	t := l.by[f.Task]
	l.mu.Unlock()
	if t == nil || t.agent != agent {
		return false
	}
	t.taking <- struct{}{} // the agent's former connection may still be at it
	defer func() { <-t.taking }()
	select {
	case <-t.over:
		return false
	default:
	}
	if t.accept(f) {
		l.mu.Lock()
		delete(l.by, f.Task)
		l.mu.Unlock()
		t.once.Do(func() { close(t.over) })
	}
	return true
}

// accept takes an answer, and catches a panic, which is the last.
func (t *lastingTask) accept(f *wire.Frame) (last bool) {
	defer func() {
		if v := recover(); v != nil {
			last = true
			t.panicked(t.agent, &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return t.take(f)
}
