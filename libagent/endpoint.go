package libagent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// maxLocal is how many connections the local endpoint serves at once; more wait.
const maxLocal = 16

// unixPrefix begins the address of a local endpoint that is a socket in a folder.
const unixPrefix = "unix:"

// retryLocal is how long an agent waits before it tries again to open its local endpoint.
const retryLocal = 2 * time.Second

// endpoint is the local endpoint of an agent. A nil one is none.
type endpoint struct {
	http *http.Server
	end  context.CancelFunc // of the wait for a socket
	done sync.WaitGroup
}

// listen opens the local endpoint, if the config wants one. An agent whose endpoint cannot be opened works all the same: it
// is there for its server first. It goes on trying, since what is in the way is often the process before it, which still ends.
func (ag *Agent) listen() *endpoint {
	c := ag.basic().HTTP
	if c.Listen == "" {
		return nil
	}
	ctx, end := context.WithCancel(context.Background())
	e := &endpoint{end: end, http: &http.Server{
		Handler:           ag.localHandler(c.Pprof, !strings.HasPrefix(c.Listen, unixPrefix)),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(ag.log.Handler(), slog.LevelDebug),
	}}
	l, err := listenLocal(c.Listen)
	if err != nil {
		ag.log.Error("local endpoint not opened, is tried again", "listen", c.Listen, "error", err)
	}
	e.done.Go(func() {
		for ; err != nil; l, err = listenLocal(c.Listen) {
			select {
			case <-time.After(retryLocal):
			case <-ctx.Done():
				return
			}
		}
		ag.log.Info("local endpoint", "listen", c.Listen)
		if err := e.http.Serve(&bounded{Listener: l, slots: make(chan struct{}, maxLocal), closed: make(chan struct{})}); !errors.Is(err, http.ErrServerClosed) {
			ag.log.Error("local endpoint ended", "error", err)
		}
	})
	return e
}

// close ends the endpoint with the answers that it is giving.
func (e *endpoint) close() {
	if e == nil {
		return
	}
	e.end()
	e.http.Close()
	e.done.Wait()
}

// localHandler serves the endpoint. At an address, which every program and browser of the host can reach, it answers to
// names of the host alone.
func (ag *Agent) localHandler(profiles, checkHost bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(ag.metrics(r.Context()))
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		_ = e.Encode(ag.Status()) // who asked may have gone
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ag.connected() {
			http.Error(w, "not connected", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	if profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	if !checkHost {
		return mux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if !isLoopback(host) {
			http.Error(w, "this is no name of the host itself", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// localAddr parses what http.listen may be.
func localAddr(s string) (network, addr string, err error) {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		if path == "" {
			return "", "", fmt.Errorf("%q names no file", s)
		}
		return "unix", path, nil
	}
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		return "", "", fmt.Errorf("%q: want unix:PATH or an address such as 127.0.0.1:9100", s)
	}
	if !isLoopback(host) {
		return "", "", fmt.Errorf("%q can be reached from other hosts: want unix:PATH or an address such as 127.0.0.1:9100", s)
	}
	return "tcp", s, nil
}

// isLoopback tells whether a host is this one and no other.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// listenLocal opens a socket that was named in a config. The folder of a file is made when it is missing; a file that a dead
// agent left is replaced, that of a living one is not.
func listenLocal(s string) (net.Listener, error) {
	network, addr, err := localAddr(s)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	if network != "unix" {
		return lc.Listen(context.Background(), network, addr)
	}
	if err := os.MkdirAll(filepath.Dir(addr), 0o750); err != nil {
		return nil, err
	}
	if err := removeStale(addr); err != nil {
		return nil, err
	}
	l, err := lc.Listen(context.Background(), network, addr)
	if err != nil {
		return nil, err
	}
	// Until then the umask keeps others from it. Windows knows no modes: there it is the folder's list that counts.
	if err := os.Chmod(addr, 0o600); err != nil && runtime.GOOS != "windows" {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes the socket of an agent that has died.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// Windows shows sockets as irregular files.
	if err == nil && info.Mode()&(fs.ModeSocket|fs.ModeIrregular) == 0 {
		err = fmt.Errorf("%s exists and is no socket", path)
	}
	if err != nil {
		return err
	}
	if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "unix", path); err == nil {
		return errors.Join(fmt.Errorf("%s: another agent listens there", path), c.Close())
	}
	return os.Remove(path)
}

// bounded is a listener with so many connections at once at most.
type bounded struct {
	net.Listener
	slots  chan struct{} // one for each connection
	once   sync.Once
	closed chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.slots <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.slots
		return nil, err
	}
	return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { <-b.slots })}, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	leave func()
}

func (c *boundedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
