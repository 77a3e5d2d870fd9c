package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/internal/roster"
	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
	"github.com/jkstack/jkframe/v2/server/internal/tokens"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Server is an agent-server. Its methods may be called by any number of goroutines at once.
type Server struct {
	cfg     Config
	log     *slog.Logger
	noise   *throttle // for what hostile peers can cause at will
	faults  *throttle // for what functions and payloads of the program do wrong
	traffic *throttle // for agents that come and go

	ctx         context.Context // of the sessions, ends when the server stops
	cancel      context.CancelFunc
	requestsCtx context.Context // of calls, ends when they have had time to end by themselves
	cancelReqs  context.CancelCauseFunc

	agents    tracker // connections of agents, from the upgrade to the last goroutine
	requests  tracker // requests of the API
	conns     connections
	admission *admission // of agents
	enrolling *admission // of who wants to become one: strangers do not take the places of agents
	sessions  *registry
	handlers  handlers
	tasks     tasks
	lasting   lasting
	frames    sync.Pool // of *[]byte, for encoding requests
	metrics   *metrics
	guard     *guard
	api       *api
	agentMux  *http.ServeMux

	certs    *certs
	roster   *roster.Roster // agents that are enrolled
	tokens   *tokens.Store
	audit    *audit.Log
	refusals *admission   // of lines of the audit log that strangers can cause
	unlogged atomic.Int64 // refusals since the last such line that have none

	background []background // functions of features

	spools  *spools
	journal *journal

	mu      sync.Mutex // guards the fields below
	agentLn net.Listener
	apiLn   net.Listener
	started bool
}

// New makes a server. It reads the token of the API, or makes one. Nothing runs before [Server.Run], and nothing of another
// server that runs on the same folder is changed.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if cfg.Agents.Auth == "" && cfg.Listen != noListener {
		cfg.Agents.Auth = defaultAuth(cfg.Listen)
	}
	if err := secretfile.CheckFolder(cfg.DataDir); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	secret, err := loadToken(cfg.API.TokenFile)
	if err != nil {
		return nil, err
	}
	ident, err := openIdentity(cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:       cfg,
		log:       cfg.Logger,
		noise:     newThrottle(cfg.Logger, slog.LevelWarn, noisePerSecond),
		traffic:   newThrottle(cfg.Logger, slog.LevelInfo, trafficPerSecond),
		faults:    newThrottle(cfg.Logger, slog.LevelError, noisePerSecond),
		conns:     connections{open: make(map[*conn.Conn]struct{})},
		admission: newAdmission(cfg.ConnectLimit),
		enrolling: newAdmission(cfg.ConnectLimit),
		sessions:  newRegistry(),
		metrics:   newMetrics(),
		guard:     newGuard(secret, ident.tokens, cfg.API.Hosts, cfg.API.Rate),
		spools:    newSpools(cfg.DataDir),
		api:       newAPI(cfg.Version),
		agentMux:  http.NewServeMux(),
		certs:     ident.certs,
		roster:    ident.roster,
		tokens:    ident.tokens,
		audit:     ident.audit,
		refusals:  newAdmission(refusalsPerSecond),
	}
	s.journal = newJournal(cfg, s.faults, &s.agents, s.metrics.failures.WithLabelValues("sink"))
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.requestsCtx, s.cancelReqs = context.WithCancelCause(context.Background())
	s.metrics.registry.MustRegister(newFleetCollector(s.sessions), newJournalCollector(s.journal), newCertificateGauge(s.certs))
	s.handlers.add(wire.AgentInfo.Type(), keepReport)
	s.agentMux.HandleFunc("GET /ws/agent", s.acceptAgent)
	s.registerEnrolment()
	if err := s.registerAll(); err != nil {
		return nil, errors.Join(err, s.audit.Close())
	}
	return s, nil
}

// AgentHandler returns the handler of /ws/agent and whatever else agents ask for, to be mounted on another server; set
// [Config.Listen] to "none" then. Agents are taken until Run ends.
func (s *Server) AgentHandler() http.Handler { return s.agentMux }

// APIHandler returns the handler of the API, with its own checks of token, host and origin, to be mounted at the root of
// another server; set [APIConfig.Listen] to "none" then. Requests are taken until Run ends.
func (s *Server) APIHandler() http.Handler { return http.HandlerFunc(s.serveAPI) }

// TokenFile returns the name of the file with the token of the API.
func (s *Server) TokenFile() string { return s.cfg.API.TokenFile }

// Fingerprint names the certificate by which agents that enrol know this server: that of its own CA, or the last one of the
// file tls.cert.
func (s *Server) Fingerprint() string {
	fingerprint, err := s.certs.fingerprint()
	if err != nil {
		return err.Error() // the file was found good when it was read
	}
	return fingerprint
}

// AgentTLS and APITLS are for a program that mounts the handlers on servers of its own: with AgentTLS agents can show who they
// are, and what changes on the disk is taken.
func (s *Server) AgentTLS() *tls.Config { return s.certs.config(tls.RequestClientCert) }

// APITLS is like [Server.AgentTLS], for the API.
func (s *Server) APITLS() *tls.Config { return s.certs.config(tls.NoClientCert) }

// Listen opens the listeners, so that their addresses are known before [Server.Run], which does it otherwise.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agentLn != nil || s.apiLn != nil {
		return nil
	}
	agents, err := listen("listen", s.cfg.Listen)
	if err != nil {
		return err
	}
	apiLn, err := listen("api.listen", s.cfg.API.Listen)
	if err != nil {
		if agents != nil {
			agents.Close()
		}
		return err
	}
	s.agentLn, s.apiLn = agents, apiLn
	return nil
}

func listen(key, addr string) (net.Listener, error) {
	if addr == noListener {
		return nil, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			err = op.Err // without the address, which is what was written under the key
		}
		return nil, fmt.Errorf("%s = %s: %w", key, addr, err)
	}
	return ln, nil
}

// AgentAddr returns the address that agents connect to, nil before Listen or without a listener.
func (s *Server) AgentAddr() net.Addr { return s.addr(&s.agentLn) }

// APIAddr returns the address of the API, nil before Listen or without a listener.
func (s *Server) APIAddr() net.Addr { return s.addr(&s.apiLn) }

func (s *Server) addr(ln *net.Listener) net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *ln == nil {
		return nil
	}
	return (*ln).Addr()
}
