package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// Server is a server in a process of its own: the agent-server, or a peer.
type Server struct {
	Addr string // for agents
	API  string // address of the API; "" for a peer
	CA   string // file with the certificate of the authority that the server has for TLS

	token string
	dir   string
	args  []string
	cmd   *exec.Cmd
	log   *os.File
	held  []func() // give back the addresses
}

// startServer starts the agent-server that was built as bin, with lines of config beside the addresses.
func startServer(ctx context.Context, bin string, config ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "load-server-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if s.Addr, err = s.address(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	if s.API, err = s.address(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	lines := append([]string{
		"listen = " + s.Addr, "api.listen = " + s.API, "data_dir = " + filepath.Join(dir, "data"), "connect_limit = -1",
		"log.target = file", "log.dir = " + filepath.Join(dir, "logs"),
	}, config...)
	file := filepath.Join(dir, "server.conf")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.args = []string{bin, "run", "--conf", file}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	token, err := os.ReadFile(filepath.Join(dir, "data", "api.token"))
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.token = strings.TrimSpace(string(token))
	authorities, err := filepath.Glob(filepath.Join(dir, "data", "pki", "ca-*.pem"))
	if err == nil && len(authorities) != 1 {
		err = fmt.Errorf("authorities of the server: %q", authorities)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.CA = authorities[0]
	return s, nil
}

// startPeer starts a peer of this kind, which is this program again.
func startPeer(ctx context.Context, kind string) (*Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "load-peer-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if s.Addr, err = s.address(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.CA = filepath.Join(dir, "ca.pem")
	s.args = []string{self, "peer", kind, s.Addr, s.CA}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// address is a loopback address that nobody listens on, until Stop.
func (s *Server) address() (string, error) {
	addr, giveBack, err := freeport.Hold()
	if err == nil {
		s.held = append(s.held, giveBack)
	}
	return addr, err
}

// start starts the process and waits until it can be reached.
func (s *Server) start(ctx context.Context) (err error) {
	if s.log, err = os.OpenFile(filepath.Join(s.dir, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	s.cmd = exec.CommandContext(ctx, s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir = s.log, s.log, s.dir
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for _, addr := range []string{s.Addr, s.API} {
		for deadline := time.Now().Add(patience); addr != ""; time.Sleep(5 * time.Millisecond) {
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s cannot be reached: %w\n%s", s.args[0], err, s.output())
			}
		}
	}
	return nil
}

// output is the end of what the process has printed.
func (s *Server) output() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "output"))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// Kill ends the process as kill -9 does.
func (s *Server) Kill() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = s.cmd.Wait() // says that it was killed
	s.cmd = nil
	return s.log.Close()
}

// Stop ends the process and removes what it has left.
func (s *Server) Stop() error {
	err := errors.Join(s.Kill(), os.RemoveAll(s.dir))
	for _, giveBack := range s.held {
		giveBack()
	}
	s.held = nil
	return err
}

// RSS returns the resident memory of the process in bytes.
func (s *Server) RSS() (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(kb, "kB")))
			return n << 10, err
		}
	}
	return 0, errors.New("no VmRSS in /proc/PID/status")
}

// CPU returns the processor time that the process has used.
func (s *Server) CPU() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const user, system, hz = 11, 12, 100
	u, err1 := strconv.Atoi(fields[user])
	v, err2 := strconv.Atoi(fields[system])
	return time.Duration(u+v) * time.Second / hz, errors.Join(err1, err2)
}

// Metrics returns values of the server's metrics, in the order of the names.
func (s *Server) Metrics(names ...string) ([]float64, error) {
	body, err := s.Get("/metrics")
	if err != nil {
		return nil, err
	}
	values, found := make([]float64, len(names)), 0
	for line := range strings.Lines(body) {
		for i, name := range names {
			v, ok := strings.CutPrefix(line, name+" ")
			if !ok {
				continue
			}
			if values[i], err = strconv.ParseFloat(strings.TrimSpace(v), 64); err != nil {
				return nil, fmt.Errorf("metric %s: %w", name, err)
			}
			found++
		}
	}
	if found != len(names) {
		return nil, fmt.Errorf("only %d of the metrics %q", found, names)
	}
	return values, nil
}

// statusError is an answer of the API that is not 200.
type statusError struct {
	path string
	code int
	body string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("GET %s: %d %s: %s", e.path, e.code, http.StatusText(e.code), e.body)
}

// away tells whether the agent that was asked is not there, left before it answered, or answered that it stops.
func (e *statusError) away() bool {
	return e.code == http.StatusNotFound || e.code == http.StatusGone ||
		e.code == http.StatusServiceUnavailable && strings.Contains(e.body, "agent stops")
}

// Get asks the API. An answer that is not 200 is an error.
func (s *Server) Get(path string) (string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+s.API+path, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &statusError{path, resp.StatusCode, string(b[:min(len(b), 200)])}
	}
	return string(b), err
}

// clientTLS trusts the certificates in a file; nil without one.
func clientTLS(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate", file)
	}
	return &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13}, nil
}
