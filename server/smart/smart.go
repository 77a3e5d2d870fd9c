package smart

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/internal/outbound"
	"github.com/jkstack/jkframe/v2/server/layout"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// Dialect is the feature. It is made with [New].
type Dialect struct {
	settings Config
	fleet    server.Fleet
	version  string
	commands *exec.Commands
	files    *files.Files
	layouts  *layout.Layouts
	created  func() (time.Time, error)

	callbacks, sources *outbound.Client
	pulled             pulled

	mu      sync.Mutex // guards the fields below
	closed  bool
	calling sync.WaitGroup  // callbacks
	ctx     context.Context // of callbacks
	cancel  context.CancelFunc
	places  chan struct{} // one for each callback that is under way
	seq     uint32        // of layouts
}

var _ server.Configurer = (*Dialect)(nil)

// New makes the feature. The others must be features of the same server.
func New(cfg Config, c *exec.Commands, f *files.Files, l *layout.Layouts) *Dialect {
	d := &Dialect{settings: cfg, commands: c, files: f, layouts: l, places: make(chan struct{}, maxCallbacks)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Name implements [server.Feature].
func (d *Dialect) Name() string { return "smart" }

// Settings implements [server.Configurer].
func (d *Dialect) Settings() any { return &d.settings }

// Attach implements [server.Feature].
func (d *Dialect) Attach(h *server.Host) error {
	d.fleet, d.version = h.Fleet(), h.Version()
	d.created = func() (time.Time, error) { return installed(h) }
	for _, out := range []struct {
		client **outbound.Client
		hosts  []string
	}{{&d.callbacks, d.settings.Callbacks}, {&d.sources, d.settings.Sources}} {
		list, err := outbound.Parse(out.hosts)
		if err != nil {
			return err
		}
		*out.client = outbound.New(list)
	}
	h.Go(func(ctx context.Context) error {
		<-ctx.Done()
		d.close()
		return nil
	})
	for pattern, call := range map[string]struct {
		role server.Role
		do   func(*http.Request, *form.Form) (any, error)
	}{
		"/server/info":      {server.RoleRead, d.serverInfo},
		"/host/info":        {server.RoleRead, d.hostInfo},
		"/host/list":        {server.RoleRead, d.hostList},
		"/host/search":      {server.RoleRead, d.hostSearch},
		"/cmd/run":          {server.RoleOperate, d.run},
		"/cmd/sync_run":     {server.RoleOperate, d.syncRun},
		"/cmd/ps":           {server.RoleRead, d.ps},
		"/cmd/status":       {server.RoleRead, d.status},
		"/cmd/kill":         {server.RoleOperate, d.kill},
		"/file/ls":          {server.RoleRead, d.ls},
		"/file/upload_from": {server.RoleOperate, d.uploadFrom},
		"/layout/status":    {server.RoleRead, d.layoutStatus},
	} {
		h.Handle(call.role, pattern, d.answer(form.Read, nil, call.do)) // no file, which the disk would be needed for
	}
	h.Handle(server.RoleOperate, "/layout/run", d.answer(form.Read, d.files.Store, d.layoutRun))
	h.Handle(server.RoleOperate, "/file/upload", d.answer(form.Begin, d.files.Store, d.upload))
	h.Handle(server.RoleRead, "/cmd/pty", d.pty)
	h.Handle(server.RoleOperate, "/file/download", d.download)
	h.OnlyOrders("/cmd/run", "/cmd/sync_run", "/cmd/kill", "/file/upload", "/file/download")
	return nil
}

// close ends what is under way.
func (d *Dialect) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.calling.Wait()
	d.callbacks.Close()
	d.sources.Close()
}

// installed is when the server began to keep something.
func installed(h *server.Host) (time.Time, error) {
	dir, err := h.Folder()
	if err != nil {
		return time.Time{}, err
	}
	name := filepath.Join(dir, "created")
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			return time.Time{}, err
		}
		info, err = os.Stat(name)
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// reply is what every answer looks like.
type reply struct {
	Code    int    `json:"code"`
	Msg     string `json:"msg,omitempty"`
	Payload any    `json:"payload,omitempty"`
}

// null is a payload that is there and says nothing.
type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// answer is the handler of a call that answers with an envelope. Read is form.Read, or form.Begin for a call that reads the rest.
// Store keeps the form's file, nil for a call that takes none.
func (d *Dialect) answer(
	read func(http.ResponseWriter, *http.Request, *form.Store) (*form.Form, error), store func() *form.Store,
	do func(*http.Request, *form.Form) (any, error),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		server.Unhurried(w)
		var keep *form.Store
		if store != nil {
			keep = store()
		}
		v, err := read(w, r, keep)
		var payload any
		if err == nil {
			defer v.Close()
			payload, err = do(r, v)
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
		if err != nil {
			f := failureOf(err)
			rest.WriteJSON(w, http.StatusOK, reply{Code: f.code, Msg: f.msg})
			return
		}
		rest.WriteJSON(w, http.StatusOK, reply{Payload: payload})
	}
}

// answerTime is how long a client may take for an answer.
const answerTime = 5 * time.Minute

// Codes of answers that are no HTTP status.
const (
	codeRefused = 1 // it could not be done
	codeContent = 2 // the content of a file is wrong
)

// failure is the answer of a call that did not work.
type failure struct {
	code int
	msg  string
}

func (f *failure) Error() string { return f.msg }

// failureOf is the answer to an error, in the words and with the codes of the dialect: what has none is 500.
func failureOf(err error) *failure {
	var (
		ready   *failure
		answer  *rest.Error
		refused *exec.StartError
		agent   *server.AgentError
	)
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.Is(err, server.ErrNotFound):
		return &failure{http.StatusNotFound, "client not found"}
	case errors.Is(err, exec.ErrNoTask):
		return &failure{http.StatusNotFound, "process not found"}
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{http.StatusRequestTimeout, "timeout"}
	case errors.As(err, &refused):
		return &failure{codeRefused, refused.Msg}
	case errors.As(err, &agent):
		return &failure{codeRefused, agent.Text}
	}
	errors.As(server.Answer(err), &answer)
	switch answer.Code {
	case http.StatusGatewayTimeout:
		return &failure{http.StatusRequestTimeout, "timeout"}
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return &failure{http.StatusBadRequest, answer.Msg}
	case http.StatusNotFound:
		return &failure{http.StatusNotFound, answer.Msg}
	}
	return &failure{http.StatusInternalServerError, answer.Msg}
}
