package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

const (
	// downloadTime is how long a client may take to read a download.
	downloadTime = 10 * time.Minute

	// blockTime is how long an agent that has announced a download may take for a block of it. How long it may take to
	// announce it is for the client to say: it packs the files meanwhile.
	blockTime = 30 * time.Second

	// busyTime is when a client that found no place for its download shall come back.
	busyTime = 10 * time.Second
)

// errNoBlock is that an agent has stopped sending a download.
var errNoBlock = fmt.Errorf("no block for %v: %w", blockTime, context.DeadlineExceeded)

// logView is a log file of an agent in the answers of the API.
type logView struct {
	Name    string `json:"name" example:"exec-agent.log"`
	Size    uint64 `json:"size" doc:"bytes"`
	ModTime int64  `json:"mod_time" doc:"Unix seconds"`
}

type logsInput struct {
	ID      string   `path:"id" doc:"id of the agent"`
	Files   []string `query:"files,explode" required:"true" minItems:"1" doc:"names of log files; once for each" example:"exec-agent.log"`
	Timeout int      `query:"timeout" minimum:"1" maximum:"3600" default:"600" doc:"how long the agent may take, in seconds"`
}

func (h *Host) registerLogs() {
	Register(h, RoleRead, huma.Operation{
		OperationID: "list-logs", Method: http.MethodGet, Path: "/api/agents/{id}/logs",
		Summary: "The log files of an agent",
		Errors:  []int{http.StatusNotFound, http.StatusGone, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, func(ctx context.Context, in *agentInput) (*rest.Body[rest.Payload[[]logView]], error) {
		ctx, cancel := context.WithTimeout(ctx, h.Timeout())
		defer cancel()
		r, err := Call(ctx, h.Fleet(), in.ID, wire.LogList, wire.Empty{})
		if err != nil {
			return nil, err
		}
		views := make([]logView, len(r.Files))
		for i, f := range r.Files {
			views[i] = logView{Name: f.Name, Size: f.Size, ModTime: f.ModTime.Unix()}
		}
		return rest.OK(views), nil
	})
	Register(h, RoleRead, huma.Operation{
		OperationID: "download-logs", Method: http.MethodGet, Path: "/api/agents/{id}/log/download",
		Summary: "Log files of an agent, as one zip", Responses: rest.Binary("application/zip", "a zip of the files"),
		Errors: []int{
			http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		},
	}, func(_ context.Context, in *logsInput) (*huma.StreamResponse, error) {
		return rest.Raw(func(w http.ResponseWriter, r *http.Request) { h.downloadLogs(w, r, in) }), nil
	})
}

// downloadLogs answers with the files once they have come whole.
func (h *Host) downloadLogs(w http.ResponseWriter, r *http.Request, in *logsInput) {
	wait := time.Duration(in.Timeout) * time.Second
	// The server's own deadlines are made for short answers. Where they cannot be moved, they hold.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(wait + downloadTime))
	_ = rc.SetWriteDeadline(time.Now().Add(wait + downloadTime))

	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	s, err := h.fetchLogs(ctx, in.ID, in.Files)
	if err != nil {
		if errors.Is(err, errBusy) {
			w.Header().Set("Retry-After", strconv.Itoa(retrySeconds(busyTime)))
		}
		Fail(w, err)
		return
	}
	defer s.close()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="log.zip"`)
	http.ServeContent(w, r, "log.zip", time.Time{}, s.file)
}

// fetchLogs has an agent send log files into a spool, which the caller closes.
func (h *Host) fetchLogs(ctx context.Context, id string, names []string) (*spool, error) {
	if _, err := h.Fleet().Get(ctx, id); err != nil {
		return nil, err
	}
	if h.s.spools.busy(id) { // the agent would send it all for nothing
		return nil, errBusy
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d := &logDownload{id: id, spools: h.s.spools, giveUp: func() { cancel(errNoBlock) }}
	q := wire.LogDownloadPayload{Files: names}
	err := h.Fleet().Call(ctx, id,
		func(b []byte, task string) ([]byte, error) { return wire.LogDownload.Append(b, task, &q) },
		d.take)
	if d.spool == nil {
		return nil, err
	}
	d.patience.Stop()
	if err != nil {
		d.spool.close()
		return nil, err
	}
	return d.spool, nil
}

// logDownload takes the answers to a request for log files.
type logDownload struct {
	id       string
	spools   *spools
	giveUp   func()
	spool    *spool      // nil until the agent has announced what comes
	patience *time.Timer // gives up; beside spool
}

// take takes an answer.
func (d *logDownload) take(f *wire.Frame) (last bool, err error) {
	if d.spool == nil {
		err = d.takeInfo(f)
	} else {
		err = d.takeBlock(f)
	}
	if err != nil {
		return true, err
	}
	return d.spool.whole()
}

// takeInfo takes what the agent says of the files that it is to send. Only now is there a place taken for them: an agent
// that says nothing keeps no other's files out.
func (d *logDownload) takeInfo(f *wire.Frame) error {
	if err := CheckReply(f, wire.LogDownloadInfo.Type()); err != nil {
		return err
	}
	info, err := wire.LogDownloadInfo.Decode(f)
	if err != nil {
		return err
	}
	if !info.OK {
		return &AgentError{Text: clip(info.Msg, maxErrorText)}
	}
	s, err := d.spools.begin(d.id, info.Size, info.MD5)
	if err != nil {
		return err
	}
	d.spool, d.patience = s, time.AfterFunc(blockTime, d.giveUp)
	return nil
}

func (d *logDownload) takeBlock(f *wire.Frame) error {
	if err := CheckReply(f, wire.LogDownloadData.Type()); err != nil {
		return err
	}
	b, err := wire.LogDownloadData.Decode(f)
	if err != nil {
		return err
	}
	d.patience.Reset(blockTime)
	return d.spool.add(b.Offset, b.Data)
}
