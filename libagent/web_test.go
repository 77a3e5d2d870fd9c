package libagent_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// fetchApp asks the server for something beside the connection, and tells the end of a task of its former run.
type fetchApp struct {
	testApp
	got chan string
}

func (a *fetchApp) Setup(ag *libagent.Agent) error {
	ag.Announce("exec")
	ag.Announce("exec")
	_, err := ag.Request(context.Background(), http.MethodGet, "/before", nil)
	a.got <- err.Error()
	return nil
}

func (a *fetchApp) Connected(ctx context.Context, ag *libagent.Agent) {
	for _, uri := range []string{"/file?x=1", "//elsewhere/file", "http://elsewhere/file", "file", "/moved"} {
		a.got <- fetch(ctx, ag, uri)
	}
	task, err := libagent.Resume(ag, "old-1", "exec")
	if err != nil {
		a.got <- err.Error()
		return
	}
	defer task.Close()
	if err := libagent.Reply(task, wire.ExecDone, wire.ExecDonePayload{Code: -1}); err != nil {
		a.got <- err.Error()
	}
}

func fetch(ctx context.Context, ag *libagent.Agent, uri string) string {
	req, err := ag.Request(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return err.Error()
	}
	res, err := ag.Do(req)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return res.Status + " " + string(body)
}

var _ libagent.Connecter = (*fetchApp)(nil)

// What is large goes beside the connection, to the server that the agent has and to no other; the end of a task of a former
// run reaches the server; and what the agent announces is in its come.
func TestBesideTheConnection(t *testing.T) {
	frames, features := make(chan string, 1), make(chan []string, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "content "+r.URL.RawQuery) })
	mux.Handle("/moved", http.RedirectHandler("http://elsewhere/", http.StatusFound))
	mux.HandleFunc("/ws/agent", func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err != nil {
			return
		}
		defer c.Close(conn.CodeNormal, "")
		for {
			f, err := c.Receive()
			if err != nil {
				return
			}
			switch f.Type {
			case wire.Come.Type():
				come, err := wire.Come.Decode(f)
				if err != nil {
					t.Error(err)
				}
				features <- come.Features
				b, _ := wire.Handshake.Append(nil, "", &wire.HandshakePayload{OK: true, ID: "a"})
				if err := c.Send(t.Context(), conn.Control, b); err != nil {
					t.Error(err)
				}
			case wire.ExecDone.Type():
				frames <- f.Task
			}
		}
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	app := &fetchApp{got: make(chan string)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	cfg := app.NewConfig()
	cfg.Basic().Server = []string{strings.TrimPrefix(srv.URL, "http://")}
	go func() {
		ended <- libagent.Run(ctx, app, &libagent.Options{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
	}()
	for _, want := range []string{
		"not connected", "200 OK content x=1", `"//elsewhere/file" is no path on the server`, `"http://elsewhere/file" is no path on the server`,
		`"file" is no path on the server`, `302 Found <a href="http://elsewhere/">Found</a>.` + "\n\n",
	} {
		if got := <-app.got; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := <-frames; got != "old-1" {
		t.Errorf("task %q, want old-1", got)
	}
	if got := <-features; !slices.Equal(got, []string{"exec"}) {
		t.Errorf("features %q, want exec once", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What answers at the server's address takes a connection and says nothing more: a handler that fetches something is told so, and
// does not wait for ever.
func TestBesideTheConnectionSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		srv := agenttest.NewServer(t, &agenttest.Options{
			TLS: &tls.Config{Certificates: []tls.Certificate{a.issue("server-1", time.Hour)}}, Patience: time.Hour,
		})
		app := &testApp{setup: func(ag *libagent.Agent) error {
			libagent.Handle(ag, echo, func(ctx context.Context, _ textPayload) (textPayload, error) {
				return textPayload{fetch(ctx, ag, "/file")}, nil
			})
			return nil
		}}
		var dials atomic.Int32
		start(t, srv, app, func(o *libagent.Options, c *testConf) {
			c.TLS.CA = a.file(t)
			o.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials.Add(1) == 1 {
					return srv.Dial(ctx, network, addr)
				}
				near, far := net.Pipe()
				go io.Copy(io.Discard, far) // ends with the near one
				return near, nil
			}
		})
		s, begin := srv.Accept(), time.Now()
		got, err := agenttest.Call(s, echo, textPayload{})
		if took := time.Since(begin); err != nil || !strings.Contains(got.S, "no answer within 30s") || took > time.Minute {
			t.Errorf("after %v: %q, %v", took, got.S, err)
		}
	})
}

// The server has named the uri, and perhaps a token for it: who has not taken the agent is not asked, though it is tried meanwhile.
func TestBesideTheConnectionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, nil)
		made := make(chan *libagent.Agent, 1)
		var ag *libagent.Agent
		where := func() string {
			req, err := ag.Request(t.Context(), http.MethodGet, "/file", nil)
			if err != nil {
				return err.Error()
			}
			return req.URL.String()
		}
		srv.Down(true)
		start(t, srv, &testApp{setup: func(a *libagent.Agent) error { made <- a; return nil }}, func(_ *libagent.Options, c *testConf) {
			c.Server = []string{"server-1", "server-2"}
		})
		ag = <-made
		time.Sleep(time.Minute)
		if got := where(); got != libagent.ErrNotConnected.Error() {
			t.Errorf("before the first connection: %s", got)
		}
		srv.Down(false)
		s := srv.Accept()
		srv.Down(true)
		s.Drop()
		time.Sleep(time.Minute)
		if got, want := where(), "http://"+s.Host()+"/file"; got != want {
			t.Errorf("after it: %s, want %s", got, want)
		}
	})
}
