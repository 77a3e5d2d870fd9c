package servertest

import (
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"net/http"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// Begin is when all commands of a [Host] begin, and End when they end.
var (
	Begin = time.Unix(1795154119, 5e8).UTC()
	End   = time.Unix(1795154120, 0).UTC()
)

// blockSize is the size of the blocks of agents of the field.
const blockSize = 32768

// Host is what an agent of the field has: files, and commands that a test has made.
type Host struct {
	// Run runs a command.
	Run func(q wire.ExecPayload) (output string, code int64)

	server *Server

	mu    sync.Mutex // guards the fields below
	files map[string]string
	pid   int
	calls []string // what was asked, in order
}

// NewHost makes a host whose agents connect to a server.
func NewHost(s *Server) *Host { return &Host{server: s, files: make(map[string]string)} }

// Put makes a file.
func (h *Host) Put(name, content string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files[name] = content
}

// File returns the content of a file.
func (h *Host) File(name string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	content, ok := h.files[name]
	return content, ok
}

// Calls returns what was asked, in order.
func (h *Host) Calls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.calls...)
}

func (h *Host) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, fmt.Sprintf(format, args...))
}

// Answer answers as an agent of the field does.
func (h *Host) Answer(t testing.TB) func(Ask) {
	return func(a Ask) {
		switch a.Type {
		case wire.Exec.Type():
			h.exec(t, a, Decode(t, a.Frame, wire.Exec))
		case wire.ExecKill.Type():
			h.note("kill %d", Decode(t, a.Frame, wire.ExecKill).PID)
		case wire.Ls.Request.Type():
			h.ls(t, a, Decode(t, a.Frame, wire.Ls.Request))
		case wire.Upload.Request.Type():
			h.upload(t, a, Decode(t, a.Frame, wire.Upload.Request))
		case wire.Download.Type():
			h.download(t, a, Decode(t, a.Frame, wire.Download))
		}
	}
}

func (h *Host) exec(t testing.TB, a Ask, q wire.ExecPayload) {
	h.note("exec %s %q", q.Cmd, q.Args)
	h.mu.Lock()
	h.pid++
	pid := 100 + h.pid
	h.mu.Unlock()
	agent, task := a.Agent, a.Task
	Send(t, agent, wire.Execd, task, wire.ExecdPayload{OK: true, PID: pid, Time: Begin})
	output, code := h.Run(q)
	if q.DeferRM != "" {
		h.mu.Lock()
		delete(h.files, q.DeferRM)
		h.mu.Unlock()
	}
	if output != "" {
		Send(t, agent, wire.ExecData, task, wire.ExecDataPayload{Data: []byte(output)})
	}
	Send(t, agent, wire.ExecDone, task, wire.ExecDonePayload{Code: code, Time: End})
}

func (h *Host) ls(t testing.TB, a Ask, q wire.LsRequest) {
	r := wire.LsReply{Dir: q.Dir, Msg: "open " + q.Dir + ": no such file or directory"}
	h.mu.Lock()
	for name, content := range h.files {
		if path.Dir(name) == q.Dir {
			r.OK, r.Msg = true, ""
			r.Files = append(r.Files, wire.FileInfo{Name: path.Base(name), Mode: 0o644, User: "root", Group: "root", Size: uint64(len(content)), ModTime: Begin})
		}
	}
	h.mu.Unlock()
	Send(t, a.Agent, wire.Ls.Reply, a.Task, r)
}

func (h *Host) upload(t testing.TB, a Ask, q wire.UploadRequest) {
	dir := q.Dir
	if dir == wire.TempDir {
		dir = "/tmp"
	}
	h.note("upload %s %v", path.Join(dir, q.Name), q.Mode)
	content, err := h.content(q)
	r := wire.UploadReply{Dir: path.Join(dir, q.Name), OK: err == nil}
	switch {
	case err != nil:
		r.Msg = err.Error()
	case md5.Sum(content) != q.MD5:
		r.OK, r.Msg = false, "invalid checksum"
	default:
		h.Put(r.Dir, string(content))
	}
	Send(t, a.Agent, wire.Upload.Reply, a.Task, r)
}

// content is what an upload brings.
func (h *Host) content(q wire.UploadRequest) ([]byte, error) {
	if q.URI == "" {
		if q.Data == "" {
			return nil, nil
		}
		return block.Decode(q.Data, wire.MaxInline)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+h.server.AgentAddr().String()+q.URI, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Token", q.Token)
	resp, err := h.server.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func (h *Host) download(t testing.TB, a Ask, q wire.DownloadPayload) {
	content, ok := h.File(q.Dir)
	if !ok {
		Send(t, a.Agent, wire.DownloadInfo, a.Task, wire.DownloadInfoPayload{Dir: q.Dir, Msg: "open " + q.Dir + ": no such file or directory"})
		return
	}
	Send(t, a.Agent, wire.DownloadInfo, a.Task, wire.DownloadInfoPayload{
		Dir: q.Dir, OK: true, Size: uint64(len(content)), BlockSize: blockSize, MD5: md5.Sum([]byte(content)),
	})
	for off := 0; off < len(content); off += blockSize {
		Send(t, a.Agent, wire.DownloadData, a.Task, wire.DownloadDataPayload{
			Offset: uint64(off), Data: block.Encode([]byte(content[off:min(off+blockSize, len(content))])),
		})
	}
}
