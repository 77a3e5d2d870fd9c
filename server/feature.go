package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Feature is a part of the server that lives in a package of its own: calls of the API, what they ask agents, what they
// keep. It goes into [Config.Features]. A feature whose settings are in the config file is a [Configurer] too.
type Feature interface {
	// Name is a short word in lower case, such as exec. It is the name of the feature's folder, of its section in the
	// config file, and stands in its lines of the log.
	Name() string

	// Attach registers all that the feature does with the host, once, before anything runs. It may keep the host.
	Attach(h *Host) error
}

// A Configurer is a [Feature] with keys in the config file.
type Configurer interface {
	Feature

	// Settings returns a pointer to a struct with tags of package kvconf. [LoadConfig] fills it from the section that has
	// the name of the feature. If it has a method Validate() error, [Config.Validate] calls it; an error of it that is, or
	// joins, a [*FieldError] names a key within the section.
	Settings() any
}

// Host is what the server gives to a feature. Everything that registers something is for [Feature.Attach] alone; the
// other methods may be called by any number of goroutines at once.
type Host struct {
	s    *Server
	name string // of the feature, "" for the server itself
}

// Fleet is how agents are reached.
func (h *Host) Fleet() Fleet { return h.s }

// Logger logs lines that name the feature.
func (h *Host) Logger() *slog.Logger { return h.s.log.With("feature", h.name) }

// Metrics takes the metrics of the feature. Their names begin with agent_server_.
func (h *Host) Metrics() prometheus.Registerer { return h.s.metrics.registry }

// Version is that of the program.
func (h *Host) Version() string { return h.s.cfg.Version }

// Timeout is how long a call waits for an agent that has nothing longer to do, api.timeout of the config.
func (h *Host) Timeout() time.Duration { return h.s.cfg.API.Timeout }

// Folder makes the folder of the feature in data_dir, with mode 0700, and returns its name.
func (h *Host) Folder() (string, error) {
	dir := filepath.Join(h.s.cfg.DataDir, h.name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("data_dir: %w", err)
	}
	return dir, nil
}

// Stopping is closed when requests of the API have had their time to end by themselves: what waits must end now.
func (h *Host) Stopping() <-chan struct{} { return h.s.requestsCtx.Done() }

// Go has [Server.Run] run a function in the background, from its start on. Its context ends when all requests and all
// connections of agents have ended, and Run waits for it. If the function returns earlier with an error, the server
// stops, and Run returns that error.
func (h *Host) Go(f func(ctx context.Context) error) {
	h.s.background = append(h.s.background, background{h.name, f})
}

// HandleAgents adds a route to the listener for agents, for what agents fetch. Nobody has checked who asks: the handler
// does. Patterns are those of [http.ServeMux].
func (h *Host) HandleAgents(pattern string, f http.HandlerFunc) {
	h.s.agentMux.HandleFunc(pattern, f)
}

// receiver implements [Receiver].
func (h *Host) receiver() *Server { return h.s }

// attach lets a feature register what it does. A pattern that is taken, or a type that cannot be described, is a panic of
// net/http or huma: here it is an error.
func (s *Server) attach(f Feature) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("feature %q: %v", f.Name(), v)
		}
	}()
	if err := f.Attach(&Host{s, f.Name()}); err != nil {
		return fmt.Errorf("feature %q: %w", f.Name(), err)
	}
	return nil
}

// background is a function that runs as long as the server does.
type background struct {
	feature string
	run     func(context.Context) error
}

// runBackground starts all functions of the features, which say on failed why they ended early. The returned function
// ends them and waits.
func (s *Server) runBackground(failed chan<- error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, len(s.background))
	for _, b := range s.background {
		go func() {
			defer func() { ended <- struct{}{} }()
			if err := b.run(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("feature %q: %w", b.feature, err)
			}
		}()
	}
	return func() {
		cancel()
		for range s.background {
			<-ended
		}
	}
}
