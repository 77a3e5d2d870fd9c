package libagent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/libagent/internal/identity"
	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// maxFrame is the largest frame that is sent and taken, in bytes after decompression.
const maxFrame = 16 << 20

// Agent is a running agent. Its methods may be called by any goroutine; what is to be called in Setup says so.
type Agent struct {
	app      App
	file     string // the config file, "" for none
	log      *slog.Logger
	logs     *logging.Log // nil when the caller of Run brought a logger
	applied  *limit.Applied
	begin    time.Time
	conf     atomic.Pointer[Settings]
	web      *http.Client                          // of Do
	netDial  dialFunc                              // nil for TCP
	proxy    func(*http.Request) (*url.URL, error) // nil for none
	folder   identity.Folder                       // "" for none
	identity atomic.Pointer[identity.Identity]     // nil while the agent is not enrolled
	stopTime time.Duration

	// Written in Setup only, handlers under mu.
	handlers  map[wire.Type]*handler
	declared  map[wire.Type]declaration // what they take and answer
	jobs      []*Job
	features  []string // what it announces
	onConnect []func(ctx context.Context)
	setupErrs []error
	started   bool // Setup is over

	host      hostFacts
	mon       monitor
	taking    chan struct{} // holds one while a new config is taken
	reportNow chan struct{} // holds one when a report is due before its time
	rethink   chan struct{} // holds one when a reload may have brought other servers

	life    context.Context // ends when nothing can be sent any more
	replies context.Context // ends before that, when no reply can be sent any more
	work    *work           // handlers, tasks and jobs
	calls   *work           // callbacks of the author
	out     *outbox

	pendingBytes atomic.Int64 // payload of the requests that run or wait
	noise        throttle     // of what the server has sent

	editing sync.Mutex // held while the config file is edited

	mu         sync.Mutex // guards what follows
	id         string
	link       ConnectionStatus
	findings   []string     // of the config, from its last load
	fileSum    fileSum      // of the config file as it was last read or written
	crash      *CrashStatus // nil when none is known; what it points to does not change
	crashes    crashFiles
	complaints map[string]complaint // by server
	conn       *conn.Conn           // nil while not connected
	past       conn.Stats           // of the connections before
	home       string               // the server of the config that it is at or tries
	served     string               // the server that it is connected to, or was last
	leave      func(error)          // ends that
	jobsCtx    context.Context      // of what runs on its own; nil before the start
	later      []background         // to be run from the start on
}

// ID returns the id of the agent, "" as long as the server has not assigned one.
func (ag *Agent) ID() string {
	ag.mu.Lock()
	defer ag.mu.Unlock()
	return ag.id
}

// ConfigFile returns the name of the config file, "" for an agent without one.
func (ag *Agent) ConfigFile() string { return ag.file }

// Logger returns the logger of the agent.
func (ag *Agent) Logger() *slog.Logger { return ag.log }

// ConfigOf returns the current config, which must not be changed. C is what the app's NewConfig returns; another type
// returns the zero value.
func ConfigOf[C Settings](ag *Agent) C {
	c, _ := (*ag.conf.Load()).(C)
	return c
}

func (ag *Agent) basic() *Config { return (*ag.conf.Load()).Basic() }

// beforeStart ends a program that registers something after Setup: it would be a race with what runs.
func (ag *Agent) beforeStart(what string) {
	if ag.started {
		panic("libagent: " + what + " is to be called in Setup")
	}
}

// addHandler registers a handler during Setup.
func (ag *Agent) addHandler(t wire.Type, h *handler) {
	ag.beforeStart("Handle")
	switch {
	case ag.handlers[t] != nil:
		ag.setupError(fmt.Errorf("message %s (%d) is handled twice", h.name, t))
	case t == wire.Handshake.Type():
		ag.setupError(errors.New("the handshake cannot be handled"))
	default:
		ag.declare(t, h.name, h.field)
		ag.mu.Lock() // Status may be asked for during Setup
		defer ag.mu.Unlock()
		ag.handlers[t] = h
	}
}

func (ag *Agent) setupError(err error) { ag.setupErrs = append(ag.setupErrs, err) }

// carried returns what all connections have carried together.
func (ag *Agent) carried() conn.Stats {
	ag.mu.Lock()
	defer ag.mu.Unlock()
	s := ag.past
	if ag.conn != nil {
		s = addStats(s, ag.conn.Stats())
	}
	return s
}

func addStats(a, b conn.Stats) conn.Stats {
	return conn.Stats{
		InFrames: a.InFrames + b.InFrames, InBytes: a.InBytes + b.InBytes,
		OutFrames: a.OutFrames + b.OutFrames, OutBytes: a.OutBytes + b.OutBytes,
	}
}
