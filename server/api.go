package server

import (
	"fmt"
	"net/http"
	"reflect"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes is how many requests for the metrics are answered at the same time: each needs memory for all agents.
const maxScrapes = 2

// api is the interface for people and programs.
type api struct {
	fleet   Fleet
	info    func() serverInfo
	timeout time.Duration
	spools  *spools
	mux     *http.ServeMux
	routes  []string // patterns of the mux
}

// newAPI registers all routes. The description of the API is made once, from what is registered.
func (s *Server) newAPI() (*api, error) {
	a := &api{fleet: s, info: s.info, timeout: s.cfg.API.Timeout, spools: s.spools, mux: http.NewServeMux()}
	cfg := huma.DefaultConfig("agent-server", s.cfg.Version)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "", "", "", nil
	cfg.Transformers = []huma.Transformer{envelopes}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	cfg.Security = []map[string][]string{{"token": {}}}
	h := huma.NewAPI(cfg, adapter{humago.NewAdapter(a, "")})
	a.registerInfo(h)
	a.registerAgents(h)
	a.registerLogs(h)
	a.registerFoo(h)
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // huma's own errors, see envelopes
		delete(cfg.Components.Schemas.Map(), unused)
	}
	spec, err := h.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	a.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(spec)
	})
	scrape := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes,
		ErrorHandling:       promhttp.ContinueOnError,
	})
	a.HandleFunc("GET /metrics", scrape.ServeHTTP)
	return a, nil
}

// HandleFunc adds a route. With [api.ServeHTTP] it is what huma needs of a mux.
func (a *api) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	a.routes = append(a.routes, pattern)
	a.mux.HandleFunc(pattern, h)
}

// ServeHTTP answers a request that has passed the guard.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, pattern := a.mux.Handler(r)
	if pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	// The mux's own answer is a text: only its status and headers are wanted.
	plain := &statusOnly{header: w.Header()}
	h.ServeHTTP(plain, r)
	msg := "not found: route"
	if plain.status == http.StatusMethodNotAllowed {
		msg = "method not allowed: " + w.Header().Get("Allow")
	}
	(&apiError{plain.status, msg}).write(w)
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
		writeJSON(out, http.StatusOK, done{})
		return
	case r.URL.Path == "/readyz" && isRead(r):
		s.ready(out)
		return
	}
	if refusal := s.guard.check(r); refusal != nil {
		if refusal.Code == http.StatusUnauthorized {
			out.Header().Set("WWW-Authenticate", `Bearer realm="agent-server"`)
		}
		refusal.write(out)
		return
	}
	if !s.requests.enter() {
		out.Header().Set("Retry-After", strconv.Itoa(restartTime+restartSpread/2))
		(&apiError{http.StatusServiceUnavailable, ErrStopped.Error()}).write(out)
		return
	}
	defer s.requests.leave()
	s.api.ServeHTTP(out, r)
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// ready says whether new work is welcome.
func (s *Server) ready(w http.ResponseWriter) {
	if s.requests.isDraining() {
		(&apiError{http.StatusServiceUnavailable, ErrStopped.Error()}).write(w)
		return
	}
	writeJSON(w, http.StatusOK, done{})
}

// panicked logs a panic of a handler, and answers if nothing has been said yet.
func (s *Server) panicked(out *recorder, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if out.status == 0 {
		(&apiError{http.StatusInternalServerError, "internal error"}).write(out)
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

// failures describes the answers of an operation that did not work: those of every one, and the given ones.
func failures(h huma.API, codes ...int) map[string]*huma.Response {
	schema := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[apiError](), true, "")
	all := make(map[string]*huma.Response)
	for _, code := range append(codes, http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError) {
		all[strconv.Itoa(code)] = &huma.Response{
			Description: http.StatusText(code),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
		}
	}
	return all
}
