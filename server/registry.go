package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

const (
	// aliveFor is how long an agent counts as alive after it was last heard: a little over its heartbeat of 10 s.
	aliveFor = 12 * time.Second

	// probeTimeout is how long an agent that was silent has to answer a ping when another one wants its id.
	probeTimeout = 5 * time.Second

	// partingTime is how long a claim waits for the end of a connection that its client may just have closed: the end
	// may be known to the kernel and not yet to the goroutine that receives.
	partingTime = 100 * time.Millisecond
)

// errConflict is what an agent is told whose id belongs to another one, in the words of the field.
var errConflict = errors.New("agent id conflict")

// registry knows who is connected. An id belongs to at most one session.
type registry struct {
	mu       sync.Mutex // guards the fields below, and the field probing of sessions
	sessions map[string]*session
	past     conn.Stats // what the connections carried that are not in sessions any more
}

func newRegistry() *registry { return &registry{sessions: make(map[string]*session)} }

// claim gives the id of a new session to it, or says why not. If a silent session had it, that one is returned: it has
// lost its id and must be closed.
func (r *registry) claim(ctx context.Context, s *session) (old *session, err error) {
	if old := r.supersede(s); old != nil {
		return old, nil
	}
	for first := true; ; first = false {
		old, alive := r.tryClaim(s)
		switch {
		case old == nil:
			return nil, nil
		case alive && first && parted(ctx, old):
			continue
		case alive:
			return nil, errConflict
		}
		switch err := probe(ctx, old.conn); {
		case ctx.Err() != nil:
			r.spare(old)
			return nil, context.Cause(ctx)
		case err == nil:
			r.spare(old)
			return nil, errConflict
		case !errors.Is(err, context.DeadlineExceeded) && parted(ctx, old):
			continue // it has left by itself
		case r.replace(old, s):
			return old, nil
		}
	}
}

// supersede takes the id of a session whose agent proves nothing for one whose agent does. It returns the former.
func (r *registry) supersede(s *session) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.sessions[s.agent.ID]
	if old == nil || old.agent.Authenticated || !s.agent.Authenticated {
		return nil
	}
	r.retire(old)
	r.sessions[s.agent.ID] = s
	return old
}

// tryClaim takes a free id. Otherwise it returns the session that has it, and whether that one is surely alive: if not,
// the caller must find out, and nobody else does meanwhile.
func (r *registry) tryClaim(s *session) (old *session, alive bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old = r.sessions[s.agent.ID]
	if old == nil {
		r.sessions[s.agent.ID] = s
		return nil, false
	}
	if old.probing || time.Since(old.conn.LastRead()) < aliveFor {
		return old, true
	}
	old.probing = true
	return old, false
}

// parted reports whether a session ends right now.
func parted(ctx context.Context, s *session) bool {
	t := time.NewTimer(partingTime)
	defer t.Stop()
	select {
	case <-s.lifetime.context(ctx).Done():
		return true
	case <-t.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// probe asks for a sign of life.
func probe(ctx context.Context, c *conn.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return c.Ping(ctx)
}

// spare ends the probing of a session that keeps its id.
func (r *registry) spare(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.probing = false
}

// replace gives the id of a silent session to s, unless it is not that session's any more.
func (r *registry) replace(old, s *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	old.probing = false
	if r.sessions[s.agent.ID] != old {
		return false
	}
	r.retire(old)
	r.sessions[s.agent.ID] = s
	return true
}

// release frees the id of a session that has ended, unless it has been taken over.
func (r *registry) release(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[s.agent.ID] == s {
		r.retire(s)
		delete(r.sessions, s.agent.ID)
	}
}

// retire keeps what the session's connection carried, so that the sums never go back. The caller holds r.mu.
func (r *registry) retire(s *session) { addStats(&r.past, s.conn.Stats()) }

// carried adds what a connection carried that never became a session.
func (r *registry) carried(s conn.Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	addStats(&r.past, s)
}

func addStats(sum *conn.Stats, s conn.Stats) {
	sum.InFrames += s.InFrames
	sum.InBytes += s.InBytes
	sum.OutFrames += s.OutFrames
	sum.OutBytes += s.OutBytes
}

// get returns the session of an agent, nil if it is not connected.
func (r *registry) get(id string) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[id]
}

// count returns how many agents are connected.
func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sessions)
}

// all returns the sessions sorted by id, and what all connections have carried up to now.
func (r *registry) all() ([]*session, conn.Stats) {
	r.mu.Lock()
	list := make([]*session, 0, len(r.sessions))
	sum := r.past
	for _, s := range r.sessions {
		list = append(list, s)
		addStats(&sum, s.conn.Stats())
	}
	r.mu.Unlock()
	slices.SortFunc(list, func(a, b *session) int { return cmp.Compare(a.agent.ID, b.agent.ID) })
	return list, sum
}

// list returns the agents that a filter chooses, and that may be seen.
func (r *registry) list(f Filter, sees func(*Agent) bool) []Agent {
	r.mu.Lock()
	var chosen []*session
	for _, s := range r.sessions {
		if (f.Type == "" || f.Type == s.agent.Name) && (f.OS == "" || f.OS == s.agent.OS) && (sees == nil || sees(&s.agent)) {
			chosen = append(chosen, s)
		}
	}
	r.mu.Unlock()
	slices.SortFunc(chosen, func(a, b *session) int { return cmp.Compare(a.agent.ID, b.agent.ID) })
	chosen = chosen[min(max(f.Skip, 0), len(chosen)):]
	if f.Limit > 0 {
		chosen = chosen[:min(f.Limit, len(chosen))]
	}
	agents := make([]Agent, len(chosen))
	for i, s := range chosen {
		agents[i] = s.snapshot()
	}
	return agents
}
