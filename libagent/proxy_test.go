package libagent_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
)

// proxied runs an agent behind a proxy that does as told with each connection, and tells what it was asked for.
func proxied(t *testing.T, proxy string, serve func(c net.Conn, req *http.Request, through func() net.Conn), look func(srv *agenttest.Server, ag *agenttest.Agent)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, nil)
		var proxying sync.WaitGroup
		defer proxying.Wait()
		c := &testConf{}
		c.ID, c.Server, c.Reconnect.Spread = "test-01", []string{"far-away"}, -1
		ag := srv.Start(&testApp{}, &libagent.Options{
			Config: c,
			Proxy: func(r *http.Request) (*url.URL, error) {
				if r.URL.Scheme != "http" || r.URL.Host != "far-away:13081" {
					t.Errorf("a proxy for %s", r.URL)
				}
				return url.Parse(proxy)
			},
			NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if addr != "proxy:3128" {
					return nil, fmt.Errorf("dialed %s", addr)
				}
				here, there := net.Pipe()
				proxying.Go(func() {
					defer there.Close()
					req, err := http.ReadRequest(bufio.NewReader(there))
					if err != nil {
						return
					}
					serve(there, req, func() net.Conn {
						up, err := srv.Dial(context.Background(), "tcp", req.Host)
						if err != nil {
							t.Error(err)
						}
						return up
					})
				})
				return here, nil
			},
		})
		look(srv, ag)
		if err := ag.Stop(); err != nil {
			t.Error(err)
		}
		if log := ag.Log(); strings.Contains(log, "s3cret") {
			t.Errorf("the password of the proxy is in the log:\n%s", log)
		}
	})
}

// relay copies both ways until one of the ends is gone.
func relay(a, b net.Conn) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(a, b); a.Close() })
	_, _ = io.Copy(b, a)
	b.Close()
	wg.Wait()
}

func TestProxy(t *testing.T) {
	var auth, asked string
	proxied(t, "http://me:s3cret@proxy:3128", func(c net.Conn, req *http.Request, through func() net.Conn) {
		auth, asked = req.Header.Get("Proxy-Authorization"), req.Method+" "+req.Host
		fmt.Fprint(c, "HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
		relay(c, through())
	}, func(srv *agenttest.Server, ag *agenttest.Agent) {
		s := srv.Accept()
		if s.Host() != "far-away:13081" {
			t.Errorf("the server was asked as %s", s.Host())
		}
		if asked != "CONNECT far-away:13081" || auth != "Basic bWU6czNjcmV0" {
			t.Errorf("the proxy was asked for %q with %q", asked, auth)
		}
		synctest.Wait()
		if !strings.Contains(ag.Log(), "proxy=proxy:3128") {
			t.Errorf("the log does not say that there is a proxy:\n%s", ag.Log())
		}
	})
}

// Whatever a proxy does instead of letting the agent through, the agent says why and tries again.
func TestProxyFaults(t *testing.T) {
	say := func(text string) func(net.Conn, *http.Request, func() net.Conn) {
		return func(c net.Conn, _ *http.Request, _ func() net.Conn) {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c)
		}
	}
	for _, tt := range []struct {
		name, proxy string
		serve       func(net.Conn, *http.Request, func() net.Conn)
		says        string
	}{
		{"wants a password", "http://me:s3cret@proxy:3128", say("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), `proxy proxy:3128: answered \"407 Proxy Authentication Required\"`},
		{"does not let through", "http://proxy:3128", say("HTTP/1.1 403 \x1b[31mno\r\n\r\n"), `proxy proxy:3128: answered \"403 \\x1b[31mno\"`},
		{"is no proxy", "http://proxy:3128", say("220 mail.example.com ESMTP\r\n"), "proxy proxy:3128: malformed HTTP"},
		{"never ends", "http://proxy:3128", say("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20)), "answer of more than 65536 bytes"},
		{"hangs up", "http://proxy:3128", func(net.Conn, *http.Request, func() net.Conn) {}, "ended the connection without an answer"},
		{"says nothing", "http://proxy:3128", say(""), "proxy proxy:3128: no answer within 30s"},
		{"speaks for the server", "http://proxy:3128", say("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching"), "bytes that are not the server's"},
		{"is of another kind", "socks5://me:s3cret@proxy:3128", say(""), `the scheme \"socks5\" is not supported`},
		{"is no URL", "http://me:s3cret@[::1", say(""), "is no URL"},
		{"is not there", "http://proxy2:3128", say(""), "proxy proxy2:3128: dialed proxy2:3128"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proxied(t, tt.proxy, tt.serve, func(srv *agenttest.Server, ag *agenttest.Agent) {
				time.Sleep(2 * time.Minute)
				if !strings.Contains(ag.Log(), tt.says) {
					t.Errorf("the log does not say %s:\n%s", tt.says, ag.Log())
				}
				if n := len(srv.Attempts()); n != 0 {
					t.Errorf("%d connections past the proxy", n)
				}
			})
		})
	}
}

// The proxy of the environment is taken, and not for the hosts of NO_PROXY. The environment is read once a process.
func TestProxyOfEnvironment(t *testing.T) {
	if os.Getenv("LIBAGENT_TEST_PROXY") != "" {
		c := &testConf{}
		c.Server = []string{"agents.example.com", "direct.invalid"}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
		if err := libagent.Run(ctx, &testApp{}, &libagent.Options{Config: c}); err != nil {
			t.Error(err)
		}
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(asked)
				return
			}
			if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				asked <- req.Method + " " + req.Host
			}
			c.Close()
		}
	}()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyOfEnvironment$", "-test.v")
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "LIBAGENT_TEST_PROXY=1", "HTTP_PROXY=http://me:s3cret@"+l.Addr().String(), "NO_PROXY=.invalid", "http_proxy=", "no_proxy=")
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if tried := "cannot connect server="; strings.Contains(said.String(), tried+"agents.") && strings.Contains(said.String(), tried+"direct.") {
			lifeline.Close()
		}
	}
	err = cmd.Wait()
	l.Close()
	out := said.String()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	count := 0
	for a := range asked {
		count++
		if a != "CONNECT agents.example.com:13081" {
			t.Errorf("the proxy was asked for %s", a)
		}
	}
	if count == 0 || strings.Contains(out, "s3cret") || !strings.Contains(out, "proxy "+l.Addr().String()) {
		t.Errorf("the proxy was asked %d times:\n%s", count, out)
	}
}
