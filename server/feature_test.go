package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/prometheus/client_golang/prometheus"
)

// part is a feature that does what a test says.
type part struct {
	name     string
	settings partSettings
	attach   func(*server.Host) error
}

type partSettings struct {
	Limit int `kv:"limit" desc:"how many"`
}

func (s *partSettings) Validate() error {
	if s.Limit < 0 {
		return errors.Join(&server.FieldError{Key: "limit", Err: errors.New("less than nothing")})
	}
	return nil
}

var _ server.Configurer = (*part)(nil)

func (p *part) Name() string  { return p.name }
func (p *part) Settings() any { return &p.settings }

func (p *part) Attach(h *server.Host) error {
	if p.attach == nil {
		return nil
	}
	return p.attach(h)
}

type sumInput struct {
	A int `query:"a"`
	B int `query:"b" maximum:"100"`
}

// A part of the server in a package of its own answers as the server's own calls do, behind the same guard.
func TestFeatureRoutes(t *testing.T) {
	f := start(t, server.Config{Features: []server.Feature{&part{name: "sums", attach: func(h *server.Host) error {
		server.Register(h, server.RoleRead, huma.Operation{
			OperationID: "sum", Method: http.MethodGet, Path: "/api/sum", Errors: []int{http.StatusTeapot},
		}, func(ctx context.Context, in *sumInput) (*rest.Body[rest.Payload[int]], error) {
			switch in.A {
			case 1:
				return nil, rest.Errorf(http.StatusTeapot, "%d is too little", in.A)
			case 2:
				_, err := server.Expect(ctx, h.Fleet(), "nobody", "sum-agent")
				return nil, err
			}
			return rest.OK(in.A + in.B), nil
		})
		h.Handle(server.RoleOperate, "/sum", func(w http.ResponseWriter, r *http.Request) { server.Fail(w, server.ErrGone) })
		h.HandleAgents("GET /fetch", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "fetched") })
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "agent_server_sums_total"})
		c.Add(3)
		return h.Metrics().Register(c)
	}}}})
	f.get(t, "/api/sum?a=3&b=4", 200, `{"code":0,"payload":7}`)
	f.get(t, "/api/sum?a=1", 418, `{"code":418,"msg":"1 is too little"}`)
	f.get(t, "/api/sum?a=2", 404, `{"code":404,"msg":"not found: agent"}`)
	f.get(t, "/api/sum?b=101", 400, `{"code":400,"msg":"bad param: query.b: expected number <= 100"}`)
	f.get(t, "/sum", 410, `{"code":410,"msg":"agent is gone"}`)
	if resp, _ := f.request(t, http.MethodGet, "/api/sum", "Authorization", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", resp.StatusCode)
	}
	if _, spec := f.request(t, http.MethodGet, "/api/openapi.json"); !strings.Contains(spec, `"/api/sum"`) || !strings.Contains(spec, `"418"`) {
		t.Error("the call is not described")
	}
	if got := f.metric(t, "agent_server_sums_total"); got != "3" {
		t.Errorf("metric %q", got)
	}
	rec := httptest.NewRecorder()
	f.AgentHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/fetch", nil))
	if rec.Body.String() != "fetched" {
		t.Errorf("agents get %d %q", rec.Code, rec.Body)
	}
	if role := f.Routes()["GET /api/sum"]; role != server.RoleRead {
		t.Errorf("role %v", role)
	}
	if role := f.Routes()["/sum"]; role != server.RoleOperate {
		t.Errorf("role %v", role)
	}
}

// What a feature does wrong at the start is an error that names it.
func TestFeatureErrors(t *testing.T) {
	for want, attach := range map[string]func(*server.Host) error{
		`feature "wrong": no`: func(*server.Host) error { return errors.New("no") },
		`feature "wrong": route "GET /x" has no role`: func(h *server.Host) error {
			h.Handle(0, "GET /x", http.NotFound)
			return nil
		},
		`feature "wrong": pattern "/metrics"`: func(h *server.Host) error {
			h.Handle(server.RoleRead, "/metrics", http.NotFound)
			h.Handle(server.RoleRead, "/metrics", http.NotFound)
			return nil
		},
	} {
		_, err := server.New(server.Config{DataDir: t.TempDir(), Features: []server.Feature{&part{name: "wrong", attach: attach}}})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// What a feature does in the background runs as long as the server does, and not a moment longer.
func TestFeatureBackground(t *testing.T) {
	began, ended := make(chan struct{}), false
	f := start(t, server.Config{Features: []server.Feature{&part{name: "busy", attach: func(h *server.Host) error {
		dir, err := h.Folder()
		if err != nil {
			return err
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 || filepath.Base(dir) != "busy" {
			t.Errorf("folder %s: %v, %v", dir, info, err)
		}
		h.Go(func(ctx context.Context) error {
			close(began)
			<-ctx.Done()
			<-h.Stopping()
			ended = true
			return ctx.Err()
		})
		return nil
	}}}})
	<-began
	f.stop()
	if !ended {
		t.Error("Run has returned before the function")
	}
}

// A function that cannot go on ends the server: nobody runs one that lacks a part without knowing.
func TestFeatureBackgroundFails(t *testing.T) {
	why := errors.New("disk is gone")
	s, err := server.New(server.Config{
		Listen: "none", API: server.APIConfig{Listen: "none"}, DataDir: t.TempDir(),
		Features: []server.Feature{&part{name: "busy", attach: func(h *server.Host) error {
			h.Go(func(context.Context) error { return why })
			return nil
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Run(t.Context())
	if !errors.Is(err, why) || !strings.Contains(err.Error(), `feature "busy"`) {
		t.Errorf("Run: %v", err)
	}
}

// The keys of a feature stand in the same file, in a section of its name, and mistakes have their place.
func TestFeatureConfig(t *testing.T) {
	p := &part{name: "sums", settings: partSettings{Limit: 5}}
	cfg, err := server.LoadConfig(writeConfig(t, "id = a\nsums.limit = 7\n"), p)
	if err != nil || cfg.ID != "a" || p.settings.Limit != 7 || len(cfg.Features) != 1 {
		t.Errorf("%+v, %+v, %v", cfg, p.settings, err)
	}
	p = &part{name: "sums", settings: partSettings{Limit: 5}}
	if _, err = server.LoadConfig(writeConfig(t, "id = a\n"), p); err != nil || p.settings.Limit != 5 {
		t.Errorf("default: %+v, %v", p.settings, err)
	}
	for text, line := range map[string]int{
		"id = a\n\nsums.limit = -1\n": 3, "sums.limit = x\n": 1, "sums.limits = 1\n": 1,
	} {
		_, err := server.LoadConfig(writeConfig(t, text), &part{name: "sums"})
		all := kvconf.Errors(nil)
		if !errors.As(err, &all) || len(all) != 1 || all[0].Line != line || !strings.HasPrefix(all[0].Key, "sums.limit") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
