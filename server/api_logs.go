package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/wire"
)

// downloadTime is how long a client may take to read a download.
const downloadTime = 10 * time.Minute

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

func (a *api) registerLogs(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-logs", Method: http.MethodGet, Path: "/api/agents/{id}/logs",
		Summary: "The log files of an agent",
		Responses: failures(h, http.StatusNotFound, http.StatusGone, http.StatusServiceUnavailable,
			http.StatusGatewayTimeout),
	}, func(ctx context.Context, in *agentInput) (*body[payload[[]logView]], error) {
		ctx, cancel := context.WithTimeout(ctx, a.timeout)
		defer cancel()
		r, err := Call(ctx, a.fleet, in.ID, wire.LogList, wire.Empty{})
		if err != nil {
			return nil, answerTo(err)
		}
		views := make([]logView, len(r.Files))
		for i, f := range r.Files {
			views[i] = logView{Name: f.Name, Size: f.Size, ModTime: f.ModTime.Unix()}
		}
		return &body[payload[[]logView]]{Body: payload[[]logView]{Payload: views}}, nil
	})

	responses := failures(h, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	responses["200"] = &huma.Response{
		Description: "a zip of the files",
		Content:     map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}
	huma.Register(h, huma.Operation{
		OperationID: "download-logs", Method: http.MethodGet, Path: "/api/agents/{id}/log/download",
		Summary: "Log files of an agent, as one zip", Responses: responses,
	}, func(_ context.Context, in *logsInput) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := hc.(answer).raw()
			a.downloadLogs(w, r, in)
		}}, nil
	})
}

// downloadLogs answers with the files once they have come whole.
func (a *api) downloadLogs(w http.ResponseWriter, r *http.Request, in *logsInput) {
	wait := time.Duration(in.Timeout) * time.Second
	// The server's own deadlines are made for short answers. Where they cannot be moved, they hold.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(wait + downloadTime))
	_ = rc.SetWriteDeadline(time.Now().Add(wait + downloadTime))

	s, err := a.spools.open()
	if err == nil {
		defer s.close()
		ctx, cancel := context.WithTimeout(r.Context(), wait)
		defer cancel()
		err = fetchLogs(ctx, a.fleet, in.ID, in.Files, s)
	}
	if err != nil {
		e := (*apiError)(nil)
		errors.As(answerTo(err), &e)
		e.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="log.zip"`)
	http.ServeContent(w, r, "log.zip", time.Time{}, s.file)
}

// fetchLogs has an agent send log files into a spool.
func fetchLogs(ctx context.Context, f Fleet, id string, names []string, s *spool) error {
	q := wire.LogDownloadPayload{Files: names}
	announced := false
	return f.Call(ctx, id,
		func(b []byte, task string) ([]byte, error) { return wire.LogDownload.Append(b, task, &q) },
		func(f *wire.Frame) (last bool, err error) {
			if !announced {
				announced = true
				return takeInfo(f, s)
			}
			if err := checkReply(f, wire.LogDownloadData.Type()); err != nil {
				return true, err
			}
			d, err := wire.LogDownloadData.Decode(f)
			if err != nil {
				return true, err
			}
			if err := s.add(d.Offset, d.Data); err != nil {
				return true, err
			}
			return s.whole()
		})
}

// takeInfo takes what an agent says of the files that it is to send.
func takeInfo(f *wire.Frame, s *spool) (last bool, err error) {
	if err := checkReply(f, wire.LogDownloadInfo.Type()); err != nil {
		return true, err
	}
	info, err := wire.LogDownloadInfo.Decode(f)
	if err != nil {
		return true, err
	}
	if !info.OK {
		return true, &AgentError{Text: clip(info.Msg, maxErrorText)}
	}
	if err := s.announce(info.Size, info.MD5); err != nil {
		return true, err
	}
	return s.whole()
}
