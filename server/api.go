package server

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes is how many requests for the metrics are answered at the same time: each needs memory for all agents.
const maxScrapes = 2

// api is the interface for people and programs.
type api struct {
	huma        huma.API
	mux         *http.ServeMux
	roles       map[string]Role     // what each pattern of the mux needs
	bodies      map[string][]string // content types that a pattern of huma takes; other patterns see to that themselves
	ordering    map[string]bool     // patterns of calls that do nothing but give orders
	registering Role                // of what goes through huma; 0 while nothing does
}

func newAPI(version string) *api {
	a := &api{mux: http.NewServeMux(), roles: make(map[string]Role), bodies: make(map[string][]string), ordering: make(map[string]bool)}
	a.huma = rest.New("agent-server", version, a)
	return a
}

// registerAll registers all routes. The description of the API is made once, from what is registered.
func (s *Server) registerAll() error {
	h := &Host{s: s}
	h.registerInfo()
	h.registerAgents()
	h.registerLogs()
	h.registerFoo()
	for _, f := range s.cfg.Features {
		if err := s.attach(f); err != nil {
			return err
		}
	}
	spec, err := rest.Describe(s.api.huma)
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	h.Handle(RoleRead, "GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(spec)
	})
	scrape := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes,
		ErrorHandling:       promhttp.ContinueOnError,
	})
	h.Handle(RoleRead, "GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if p, _ := PrincipalOf(r.Context()); p.bound() {
			rest.Errorf(http.StatusForbidden, "the metrics are of all agents, and this token is for some").Write(w)
			return
		}
		scrape.ServeHTTP(w, r)
	})
	h.registerAudit()
	return nil
}

// HandleFunc adds a route of huma. With [api.ServeHTTP] it is what huma needs of a mux.
func (a *api) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	a.handle(a.registering, pattern, h)
}

// handle adds a route. Nothing is reached without a role.
func (a *api) handle(role Role, pattern string, h http.HandlerFunc) {
	if role < RoleRead || role > RoleAdmin {
		panic(fmt.Sprintf("route %q has no role", pattern))
	}
	a.mux.HandleFunc(pattern, h)
	a.roles[pattern] = role
}

// ServeHTTP answers a request of a route that is there, and that has passed the guard.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// pattern is the route of a request, "" if there is none.
func (a *api) pattern(r *http.Request) string {
	_, pattern := a.mux.Handler(r)
	return pattern
}

// noRoute answers a request for which there is no route. The mux's own answer is a text: only its status and headers are
// wanted.
func (a *api) noRoute(w http.ResponseWriter, r *http.Request) {
	plain := &statusOnly{header: w.Header()}
	a.mux.ServeHTTP(plain, r)
	msg := "not found: route"
	if plain.status == http.StatusMethodNotAllowed {
		msg = "method not allowed: " + w.Header().Get("Allow")
	}
	rest.Errorf(plain.status, "%s", msg).Write(w)
}

// statusOnly keeps the status of an answer.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }

// serveAPI is the handler of the API's listener: health without a token, everything else behind the guard.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	out := &recorder{ResponseWriter: w}
	defer func() {
		if v := recover(); v != nil {
			s.panicked(out, r, v)
		}
		s.metrics.requests.WithLabelValues(routeOf(r), strconv.Itoa(out.status)).Inc()
	}()
	switch {
	case r.URL.Path == "/healthz" && isRead(r):
		rest.WriteJSON(out, http.StatusOK, rest.Done{})
		return
	case r.URL.Path == "/readyz" && isRead(r):
		s.ready(out)
		return
	}
	p, refusal, why := s.guard.check(r)
	pattern := ""
	if refusal == nil {
		pattern, why = s.api.pattern(r), "role or content type"
		refusal = s.api.admits(p, r, pattern)
	}
	if refusal != nil {
		s.refuseCall(out, r, p, refusal, why)
		return
	}
	if !s.requests.enter() {
		out.Header().Set("Retry-After", strconv.Itoa(restartTime+restartSpread/2))
		rest.Errorf(http.StatusServiceUnavailable, "%v", ErrStopped).Write(out)
		return
	}
	defer s.requests.leave()
	r = r.WithContext(WithPrincipal(r.Context(), *p))
	switch {
	case pattern == "":
		s.api.noRoute(out, r)
	case s.api.changes(r, pattern):
		s.serveChange(out, r, p, s.api.ordering[pattern])
	default:
		s.api.ServeHTTP(out, r)
	}
}

// refuseCall answers a call that may not be made.
func (s *Server) refuseCall(w http.ResponseWriter, r *http.Request, p *Principal, refusal *rest.Error, why string) {
	switch refusal.Code {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="agent-server"`)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	e := audit.Entry{Event: "api.refused", From: r.RemoteAddr, What: r.Method + " " + clip(r.URL.Path, 255), Result: why}
	if p != nil {
		e.Actor = p.Name
	}
	s.refused(e)
	refusal.Write(w)
}

// serveChange answers a call that has something done, which is in the audit log before. What it has agents do is there
// too, see [Fleet]; if that is all that it has done (ordering), one flush is enough for both.
func (s *Server) serveChange(out *recorder, r *http.Request, p *Principal, ordering bool) {
	e := audit.Entry{Event: "api", Actor: p.Name, From: p.From, What: r.Method + " " + clip(r.URL.Path, 255)}
	flush, err := s.audit.Put(e)
	if err == nil && ordering {
		r = r.WithContext(withCall(r.Context(), flush))
	} else if err == nil {
		err = flush()
	}
	if err != nil {
		s.faults.say("call not answered", errAttr(err))
		rest.Errorf(http.StatusServiceUnavailable, "%v", ErrAudit).Write(out)
		return
	}
	defer func() {
		e.Event, e.Result = "api.result", strconv.Itoa(out.status)
		s.note(e)
	}()
	s.api.ServeHTTP(out, r)
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// ready says whether new work is welcome.
func (s *Server) ready(w http.ResponseWriter) {
	if s.requests.isDraining() {
		rest.Errorf(http.StatusServiceUnavailable, "%v", ErrStopped).Write(w)
		return
	}
	rest.WriteJSON(w, http.StatusOK, rest.Done{})
}

// panicked logs a panic of a handler, and answers if nothing has been said yet.
func (s *Server) panicked(out *recorder, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if out.status == 0 {
		rest.Errorf(http.StatusInternalServerError, "internal error").Write(out)
	}
}

// recorder knows the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// routeOf is the name of a route in the metrics: there are few of them, whatever is asked for.
func routeOf(r *http.Request) string {
	if r.Pattern == "" {
		return "other"
	}
	return r.Pattern
}
