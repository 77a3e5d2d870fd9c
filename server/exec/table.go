package exec

import (
	"cmp"
	"container/list"
	"slices"
	"sync"
	"time"
)

// table remembers tasks, a bounded number of them.
type table struct {
	most int

	mu     sync.Mutex // guards the fields below
	agents map[string]*agentTasks
	past   *list.List // of *past, those that have ended, the oldest first
	n      int        // all of them
	seq    uint64     // of the last one
	closed bool
}

// agentTasks are the tasks of one agent.
type agentTasks struct {
	all   map[*Task]struct{}
	byPID map[int]*Task // the last one with the number
}

// past is a task that has ended.
type past struct {
	*Task
	at time.Time
}

func newTable(most int) *table {
	return &table{most: most, agents: make(map[string]*agentTasks), past: list.New()}
}

// add takes a new task, if there is room or can be made.
func (tb *table) add(t *Task) error {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	switch {
	case tb.closed:
		return errStopped
	case tb.n >= tb.most && tb.past.Len() == 0:
		return ErrBusy
	case tb.n >= tb.most:
		tb.drop(tb.past.Front())
	}
	tb.n++
	tb.seq++
	t.seq = tb.seq
	a := tb.agents[t.Agent.ID]
	if a == nil {
		a = &agentTasks{all: make(map[*Task]struct{}), byPID: make(map[int]*Task)}
		tb.agents[t.Agent.ID] = a
	}
	a.all[t] = struct{}{}
	return nil
}

// started notes the process of a task.
func (tb *table) started(t *Task, pid int) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if a := tb.agents[t.Agent.ID]; a != nil {
		a.byPID[pid], t.pid = t, pid
	}
}

// ended notes the end of a task.
func (tb *table) ended(t *Task, now time.Time) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.past.PushBack(&past{t, now})
}

// drop forgets a task that has ended.
func (tb *table) drop(e *list.Element) {
	t := tb.past.Remove(e).(*past).Task
	tb.n--
	a := tb.agents[t.Agent.ID]
	delete(a.all, t)
	if a.byPID[t.pid] == t {
		delete(a.byPID, t.pid)
	}
	if len(a.all) == 0 {
		delete(tb.agents, t.Agent.ID)
	}
	t.forget()
}

// makeRoom forgets tasks that have ended, the oldest first, until there is room on the disk for the output of others.
func (tb *table) makeRoom(enough func() bool) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for e := tb.past.Front(); e != nil && !enough(); {
		next := e.Next()
		if e.Value.(*past).output.Stats().Disk > 0 {
			tb.drop(e)
		}
		e = next
	}
}

// prune forgets the tasks that ended before a time.
func (tb *table) prune(before time.Time) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for e := tb.past.Front(); e != nil && e.Value.(*past).at.Before(before); e = tb.past.Front() {
		tb.drop(e)
	}
}

// find returns the task with a process of an agent, nil for none.
func (tb *table) find(agent string, pid int) *Task {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if a := tb.agents[agent]; a != nil {
		return a.byPID[pid]
	}
	return nil
}

// of returns the tasks of an agent, the oldest first.
func (tb *table) of(agent string) []*Task {
	tb.mu.Lock()
	var all []*Task
	if a := tb.agents[agent]; a != nil {
		for t := range a.all {
			all = append(all, t)
		}
	}
	tb.mu.Unlock()
	slices.SortFunc(all, func(a, b *Task) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// close takes no more tasks, and returns those that there are.
func (tb *table) close() []*Task {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.closed = true
	var all []*Task
	for _, a := range tb.agents {
		for t := range a.all {
			all = append(all, t)
		}
	}
	return all
}

// count returns how many tasks are running, and how many are remembered.
func (tb *table) count() (running, all int) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.n - tb.past.Len(), tb.n
}
