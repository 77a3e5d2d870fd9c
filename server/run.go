package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

const (
	// headerTime is how long a client may take for the header of a request, idleTime how long it may keep a connection
	// without a request, maxHeader how long the header may be, in bytes.
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 16 << 10

	// clientTime is how long a client of the API may take to send a request, and how long to read the answer.
	clientTime = 30 * time.Second

	// requestTime is how long requests may take to end when the server stops, cancelTime how long when they are told to.
	requestTime = 5 * time.Second
	cancelTime  = time.Second
)

// Run serves until ctx ends or a listener fails, and returns when everything that the server has started has ended:
// requests of the API are given 5 s, then agents are told, side by side. It returns nil if ctx was the reason.
// A server runs once.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	again := s.started
	s.started = true
	s.mu.Unlock()
	if again {
		return errRunTwice
	}
	if err := s.Listen(); err != nil {
		return err
	}
	if err := s.journal.start(); err != nil { // which says so when another server runs on this folder
		return errors.Join(err, s.closeListeners())
	}
	// The journal is locked, so that everything in data_dir is this server's alone from here on until it is closed.
	defer s.journal.close()
	err := s.spools.open()
	if err == nil {
		err = s.audit.Append(audit.Entry{Event: "server.start", Actor: "server", Result: "ok", What: s.cfg.Version})
	}
	if err != nil {
		return errors.Join(err, s.audit.Close(), s.closeListeners())
	}
	agents := s.newListener("listen", s.door(s.agentLn, s.cfg.Listen, tls.RequestClientCert), &http.Server{
		Handler:     s.AgentHandler(),
		ReadTimeout: headerTime, // of requests; what is a WebSocket has deadlines of its own
	})
	apis := s.newListener("api.listen", s.door(s.apiLn, s.cfg.API.Listen, tls.NoClientCert), &http.Server{
		Handler:      s.APIHandler(),
		ReadTimeout:  clientTime,
		WriteTimeout: s.cfg.API.Timeout + clientTime, // it begins with the request
	})
	failed := make(chan error, 2+len(s.background))
	stopBackground := s.runBackground(failed)
	watching, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	var watch, serving sync.WaitGroup
	watch.Go(func() { s.watch(watching) })
	for _, l := range []*listener{agents, apis} {
		if l.ln != nil {
			serving.Go(func() { failed <- l.serve() })
		}
	}
	s.log.Info("server started", "version", s.cfg.Version, "agents", text(s.AgentAddr()), "api", text(s.APIAddr()),
		"token_file", s.TokenFile(), "ca", s.Fingerprint())
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.drain()
	agents.close()
	apis.close()
	serving.Wait()
	stopBackground()
	stopWatching()
	watch.Wait()
	s.note(audit.Entry{Event: "server.stop", Actor: "server", Result: "ok"})
	return errors.Join(err, s.audit.Close())
}

// text is an address, or none.
func text(addr net.Addr) string {
	if addr == nil {
		return noListener
	}
	return addr.String()
}

// door has a listener speak TLS, and without it where nobody else is, or where that is wanted.
func (s *Server) door(ln net.Listener, addr string, clients tls.ClientAuthType) net.Listener {
	if ln == nil {
		return nil
	}
	plain := s.cfg.Insecure || addr == noListener || isLoopback(addr)
	return secured(ln, s.certs.config(clients), plain, log.New(s.noise, "", 0))
}

// closeListeners closes what Listen has opened.
func (s *Server) closeListeners() error {
	var errs []error
	for _, ln := range []net.Listener{s.agentLn, s.apiLn} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	return errors.Join(errs...)
}

// drain refuses what is new, lets requests end, and says goodbye to the agents. The listeners stay open meanwhile, so that
// whoever comes is told.
func (s *Server) drain() {
	requests, agents := s.requests.drain(), s.agents.drain()
	await(requests, requestTime)
	s.cancelReqs(ErrStopped)
	await(requests, cancelTime) // what goes on after that only writes, and ends with its connection
	s.conns.closeAll(conn.CodeGoingAway, ErrStopped.Error())
	s.cancel()
	<-agents
}

// await waits for an event, and no longer than d.
func await(event <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-event:
	case <-t.C:
	}
}

// listener serves HTTP on one listener.
type listener struct {
	key   string
	ln    net.Listener
	http  *http.Server
	conns sync.WaitGroup // connections that HTTP has
}

func (s *Server) newListener(key string, ln net.Listener, h *http.Server) *listener {
	l := &listener{key: key, ln: ln, http: h}
	h.ReadHeaderTimeout, h.IdleTimeout, h.MaxHeaderBytes = headerTime, idleTime, maxHeader
	h.ErrorLog = log.New(s.noise, "", 0)
	if d, ok := ln.(*door); ok {
		d.serve(h)
	}
	h.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			l.conns.Add(1)
		case http.StateHijacked, http.StateClosed:
			l.conns.Done()
		}
	}
	return l
}

// serve returns when the listener is closed or fails.
func (l *listener) serve() error {
	if err := l.http.Serve(l.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s: %w", l.key, err)
	}
	return nil
}

// close ends all connections that HTTP has, and waits for their goroutines.
func (l *listener) close() {
	if l.ln == nil {
		return
	}
	l.http.Close()
	l.conns.Wait()
}
