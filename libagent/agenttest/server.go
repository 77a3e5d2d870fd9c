package agenttest

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Options are those of a [Server]. The zero value works.
type Options struct {
	// Old has the server be as those of the field are: it ends connections without a goodbye, and acknowledges nothing, so that an
	// agent lets go of what it emits when it is written. By default, it says goodbye, and acknowledges what comes.
	Old bool

	// TLS has the server speak TLS. By default, it does not.
	TLS *tls.Config

	// Patience is how long a test waits for something before it fails. By default, a minute.
	Patience time.Duration
}

// Server is a server in the test's process. Its methods may be called at any time.
type Server struct {
	tb       testing.TB
	opt      Options
	http     *http.Server
	incoming chan net.Conn
	stopped  chan struct{}
	handlers sync.WaitGroup // those of http, and the sessions that they have become

	state    watched // guards what follows
	answer   http.Handler
	shake    func(*Session) wire.HandshakePayload
	over     bool // no handler begins any more
	down     bool
	frozen   bool
	assigned int // ids that were given
	cursors  map[streamID]wire.OutCursor
	attempts []Attempt
	pipes    map[*pipe]bool
	sessions []*Session // that stand, and that Accept has not returned yet
	ended    error      // why an agent ended before the test did
}

// Attempt is one attempt of an agent to connect.
type Attempt struct {
	At   time.Time
	Addr string // host:port, as the agent has it
}

// NewServer starts a server, which stops with the test.
func NewServer(tb testing.TB, opt *Options) *Server {
	s := &Server{
		tb: tb, incoming: make(chan net.Conn), stopped: make(chan struct{}), pipes: make(map[*pipe]bool),
		cursors: make(map[streamID]wire.OutCursor),
	}
	if opt != nil {
		s.opt = *opt
	}
	if s.opt.Patience <= 0 {
		s.opt.Patience = time.Minute
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		TLSConfig:         s.opt.TLS,
		ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if t, ok := c.(*tls.Conn); ok {
				c = t.NetConn()
			}
			return context.WithValue(ctx, endKey{}, c)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // what an agent does wrong shows in its connection
	}
	var serving sync.WaitGroup
	serving.Go(func() { // both return http.ErrServerClosed, and nothing else: the listener has no errors
		if s.opt.TLS != nil {
			_ = s.http.ServeTLS(listener{s}, "", "")
		} else {
			_ = s.http.Serve(listener{s})
		}
	})
	tb.Cleanup(func() {
		close(s.stopped)
		_ = s.http.Close()
		s.state.change(func() { s.over, s.frozen = true, false })
		for _, p := range s.connections() {
			p.cut()
		}
		serving.Wait()
		s.handlers.Wait()
	})
	return s
}

// Dial connects to the server, whatever the address. It is the NetDial of [Server.Start].
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var down bool
	s.state.change(func() {
		s.attempts = append(s.attempts, Attempt{time.Now(), addr})
		down = s.down
	})
	refused := func(err error) error { return &net.OpError{Op: "dial", Net: network, Err: err} }
	if down {
		return nil, refused(syscall.ECONNREFUSED)
	}
	here, there := newPipe(address(2), address(1))
	s.state.change(func() {
		here.frozen = s.frozen
		s.pipes[here.pipe] = true
	})
	select {
	case s.incoming <- &accepted{there, s}:
		return here, nil
	case <-ctx.Done():
		s.forget(here.pipe)
		return nil, refused(context.Cause(ctx))
	case <-s.stopped:
		s.forget(here.pipe)
		return nil, refused(syscall.ECONNREFUSED)
	}
}

// address is that of a host that does not exist (RFC 5737), 1 for the server.
func address(n byte) net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, n), Port: 13081} }

// Down has the server refuse connections, as a host does on which it does not run, or take them again. Those that
// stand go on.
func (s *Server) Down(down bool) { s.state.change(func() { s.down = down }) }

// Freeze cuts the network between the server and all agents, as a firewall does that drops every packet: connections
// stand, and nothing arrives. With false it arrives again.
func (s *Server) Freeze(frozen bool) {
	s.state.change(func() { s.frozen = frozen })
	for _, p := range s.connections() {
		p.freeze(frozen)
	}
}

// Attempts returns all attempts to connect up to now, those that were refused too.
func (s *Server) Attempts() (all []Attempt) {
	s.state.look(func() { all = append(all, s.attempts...) })
	return all
}

// Accept waits for the next agent that has connected and was taken, and is still connected.
func (s *Server) Accept() *Session {
	s.tb.Helper()
	var next *Session
	var ended error
	ready := func() bool {
		if len(s.sessions) > 0 {
			next, s.sessions = s.sessions[0], s.sessions[1:]
		}
		ended = s.ended
		return next != nil || ended != nil
	}
	s.await("an agent", ready)
	if next == nil {
		s.tb.Fatalf("no agent connects: it ended with %v", ended)
	}
	return next
}

// await waits for something of the state, and fails the test if it does not come.
func (s *Server) await(what string, ready func() bool) {
	s.tb.Helper()
	until := time.Now().Add(s.opt.Patience)
	if !s.state.await(ready, func() time.Time { return until }) {
		s.tb.Fatalf("waited %v for %s", s.opt.Patience, what)
	}
}

// serveHTTP answers one request of an agent.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	var answer http.Handler
	over := false
	s.state.look(func() {
		if over = s.over; !over {
			s.handlers.Add(1)
			answer = s.answer
		}
	})
	if over {
		return
	}
	defer s.handlers.Done()
	if answer != nil {
		answer.ServeHTTP(w, r)
		return
	}
	c, err := conn.Upgrade(w, r, conn.Options{IdleTimeout: -1})
	if err != nil {
		return // it was answered
	}
	s.serve(&Session{server: s, conn: c, end: r.Context().Value(endKey{}).(*accepted), host: r.Host})
}

// endKey is under what the context of a request has its connection.
type endKey struct{}

func (s *Server) connections() (all []*pipe) {
	s.state.look(func() {
		for p := range s.pipes {
			all = append(all, p)
		}
	})
	return all
}

func (s *Server) forget(p *pipe) { s.state.change(func() { delete(s.pipes, p) }) }

// listener has the server of HTTP take connections.
type listener struct{ s *Server }

// Accept waits for the next connection.
func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.s.incoming:
		return c, nil
	case <-l.s.stopped:
		return nil, net.ErrClosed
	}
}

// Addr returns the address of the server.
func (listener) Addr() net.Addr { return address(1) }

// Close does nothing: the listener ends with the server.
func (listener) Close() error { return nil }

// accepted is the server's end of a connection.
type accepted struct {
	*pipeEnd
	s *Server
}

// Close ends the connection.
func (a *accepted) Close() error {
	a.s.forget(a.pipe)
	return a.pipeEnd.Close()
}
