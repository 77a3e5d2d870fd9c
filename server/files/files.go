package files

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/internal/spool"
	"github.com/jkstack/jkframe/v2/wire"
)

// AgentType is the type of the agents that have files.
const AgentType = "exec-agent"

const (
	// DefaultUploadTime is how long an upload may take when nobody says.
	DefaultUploadTime = time.Minute

	// DefaultDownloadTime is how long a download may take when nobody says.
	DefaultDownloadTime = 10 * time.Minute

	// MaxTime is the longest that a transfer may take.
	MaxTime = 24 * time.Hour

	// patience is how long an agent may send nothing of a file.
	patience = 30 * time.Second
)

// Files lists folders and moves files. It is made with [New].
type Files struct {
	settings Config // as configured
	cfg      Config // with its defaults
	fleet    server.Fleet
	timeout  time.Duration
	spool    *spool.Spool // of downloads
	store    *form.Store  // of uploads
	stopping <-chan struct{}
	record   func(ctx context.Context, agent string, encode server.Encode) error
	places   *places
	pieces   sync.Pool // of *piece

	offers offers // what agents may fetch
	sinks  sinks  // what agents may send
}

var _ server.Configurer = (*Files)(nil)

// New makes the feature.
func New(cfg Config) *Files {
	return &Files{settings: cfg, pieces: sync.Pool{New: func() any { return new(piece) }}}
}

// Name implements [server.Feature].
func (f *Files) Name() string { return "files" }

// Settings implements [server.Configurer].
func (f *Files) Settings() any { return &f.settings }

// Attach implements [server.Feature].
func (f *Files) Attach(h *server.Host) error {
	f.cfg = f.settings.withDefaults()
	f.fleet, f.timeout, f.stopping = h.Fleet(), h.Timeout(), h.Stopping()
	f.record = h.Record
	f.spool = spool.New(subFolder(h, "download"), f.cfg.Disk)
	f.store = form.NewStore(subFolder(h, "upload"), f.cfg.Disk)
	f.places = newPlaces(f.cfg.Transfers)
	h.Go(func(ctx context.Context) error {
		<-ctx.Done()
		return f.spool.Close()
	})
	h.HandleAgents("GET /api/file/upload/{task}", f.offers.serve)
	h.HandleAgents("HEAD /api/file/download/{task}", f.sinks.serveHead)
	h.HandleAgents("PATCH /api/file/download/{task}", f.sinks.servePatch)
	f.routes(h)
	return nil
}

// Store keeps what callers upload until agents have it.
func (f *Files) Store() *form.Store { return f.store }

// Disk is how many bytes of one kind of transfer may be on disk, [Config.Disk] or its default. It is known once the feature is
// attached.
func (f *Files) Disk() int64 { return f.cfg.Disk }

// expect returns an agent that has files, and whether it is one of ours.
func (f *Files) expect(ctx context.Context, id string) (a server.Agent, ours bool, err error) {
	a, err = server.Expect(ctx, f.fleet, id, AgentType)
	return a, slices.Contains(a.Features, wire.FeatureFiles), err
}

// List returns what is in a folder of an agent. It fails with an [*server.AgentError] when the agent cannot tell.
func (f *Files) List(ctx context.Context, agent, dir string) (wire.LsReply, error) {
	_, ours, err := f.expect(ctx, agent)
	if err != nil {
		return wire.LsReply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	r, err := server.Call(ctx, f.fleet, agent, wire.Ls, wire.LsRequest{Dir: dir, Detail: ours})
	if err == nil && !r.OK {
		err = &server.AgentError{Text: clip(r.Msg), Why: r.Why}
	}
	return r, err
}

// ask sends a request and waits for its answers, until one is the last, an error, or ctx ends. Answers may come over a later
// connection of the agent too.
func (f *Files) ask(ctx context.Context, agent string, encode server.Encode, take func(*wire.Frame) (last bool, err error)) error {
	ended := make(chan error, 1)
	end, err := f.fleet.Begin(ctx, agent, encode, func(frame *wire.Frame) bool {
		last, err := take(frame)
		if last || err != nil {
			ended <- err
		}
		return last || err != nil
	})
	if err != nil {
		return err
	}
	defer end()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-f.stopping:
		return server.ErrStopped
	}
}
