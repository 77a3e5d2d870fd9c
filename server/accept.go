package server

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

const (
	// handshakeLimit is the largest message before the handshake, in bytes after decompression.
	handshakeLimit = 64 << 10

	// messageLimit is the largest message afterwards.
	messageLimit = 16 << 20

	// idleLimit is how long an agent may say nothing: three of its heartbeats.
	idleLimit = 30 * time.Second

	// handshakeTime is how long a client may take to say who it is, minHandshakeTime what is left of it when very many
	// take their time at once, from crowd on.
	handshakeTime    = time.Minute
	minHandshakeTime = 5 * time.Second
	crowd            = 1000

	// maxWaiting is how many clients may be between connecting and the handshake.
	maxWaiting = 16384

	// restartTime is how long a server that stops is usually away, in seconds, restartSpread what chance adds to it.
	restartTime   = 1
	restartSpread = 5
)

// patience is how long one of n clients that have not shaken hands may take. With many of them it is shorter, so that
// their number stays within bounds whatever the pace at which they come.
func patience(n int) time.Duration {
	return max(minHandshakeTime, handshakeTime*crowd/time.Duration(max(n, crowd)))
}

// connections are the open connections to agents, for the day when all of them must be closed.
type connections struct {
	mu      sync.Mutex // guards the fields below
	open    map[*conn.Conn]struct{}
	waiting int  // those that have not shaken hands
	came    int  // those that were ever taken
	closing bool // no more are taken
}

// add takes a connection that has not shaken hands, and says how long it may take, unless all are being closed.
func (cs *connections) add(c *conn.Conn) (time.Duration, bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closing {
		return 0, false
	}
	cs.open[c] = struct{}{}
	cs.waiting++
	cs.came++
	return patience(cs.waiting), true
}

// shaken notes the end of a handshake, good or bad.
func (cs *connections) shaken() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.waiting--
}

func (cs *connections) remove(c *conn.Conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.open, c)
}

// total returns how many were ever taken.
func (cs *connections) total() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.came
}

// full reports whether too many clients have not shaken hands.
func (cs *connections) full() bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.waiting >= maxWaiting
}

// closeAll says goodbye to all side by side, and returns when all are closed.
func (cs *connections) closeAll(code int, reason string) {
	cs.mu.Lock()
	cs.closing = true
	var wg sync.WaitGroup
	for c := range cs.open {
		wg.Go(func() { c.Close(code, reason) })
	}
	cs.mu.Unlock()
	wg.Wait()
}

// acceptAgent is the handler of /ws/agent. It returns as soon as the connection is a WebSocket: the goroutine that
// served HTTP has a large stack and buffers, which an idle agent should not keep. What leads to the upgrade has small frames,
// here and in package conn, as has what leads to the first message: either stack would grow to 8 kB, just so, for each agent
// that comes, and growing both took a twelfth of a handshake.
func (s *Server) acceptAgent(w http.ResponseWriter, r *http.Request) {
	p, ok := s.admitAgent(w, r)
	if !ok {
		return
	}
	handedOver := false
	defer func() {
		if !handedOver {
			s.agents.leave()
		}
	}()
	c, err := conn.Upgrade(w, r, conn.Options{MaxMessage: handshakeLimit, IdleTimeout: handshakeTime})
	if err != nil {
		s.upgradeRefused(r, err)
		return
	}
	handedOver = true
	go s.serveAgent(c, p)
}

// upgradeRefused notes a request that was none for a WebSocket.
func (s *Server) upgradeRefused(r *http.Request, why error) {
	s.metrics.refused.WithLabelValues("upgrade").Inc()
	s.log.Debug("upgrade refused", "remote", r.RemoteAddr, "err", why)
}

// admitAgent says who asks for a connection and has it counted in s.agents, or answers that it cannot be taken.
func (s *Server) admitAgent(w http.ResponseWriter, r *http.Request) (p peer, ok bool) {
	if s.isStranger(r) { // however many come, they take no places of agents
		s.turnStrangerAway(w, r, p, errUnenrolled)
		return p, false
	}
	switch wait, ok := s.admission.admit(time.Now()); {
	case s.agents.isDraining():
		s.refuse(w, "draining", restartTime+rand.IntN(restartSpread))
		return p, false
	case !ok:
		s.refuse(w, "limit", retrySeconds(wait))
		return p, false
	case s.conns.full():
		s.refuse(w, "waiting", retrySeconds(handshakeTime/2))
		return p, false
	case !s.agents.enter():
		s.refuse(w, "draining", restartTime+rand.IntN(restartSpread))
		return p, false
	}
	p, err := s.peerOf(r)
	if err != nil {
		defer s.agents.leave()
		s.turnStrangerAway(w, r, p, err)
		return p, false
	}
	return p, true
}

// turnStrangerAway answers a connect of somebody whose certificate is no good.
func (s *Server) turnStrangerAway(w http.ResponseWriter, r *http.Request, p peer, why error) {
	s.metrics.refused.WithLabelValues("identity").Inc()
	s.turnedAway(r.RemoteAddr, p, "", why)
	w.Header().Set("Connection", "close")
	http.Error(w, why.Error(), http.StatusForbidden)
}

// refuse answers a connect that cannot be taken now.
func (s *Server) refuse(w http.ResponseWriter, why string, seconds int) {
	s.metrics.refused.WithLabelValues(why).Inc()
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	w.Header().Set("Connection", "close") // it will be needed by others until then
	http.Error(w, fmt.Sprintf("come again in %d s", seconds), http.StatusServiceUnavailable)
}
