package server_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// maxStop is how long a server may take to stop, whatever its agents and clients do.
const maxStop = 10 * time.Second

// A server that stops lets what runs end, takes nothing new, and tells everybody.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c := f.agent(t, "x", "example-agent")
		ask := make(chan []byte, 1)
		agentDone := make(chan error, 1)
		go func() {
			for {
				frame, err := c.Receive()
				if err != nil {
					agentDone <- err
					return
				}
				ask <- bar(frame)
			}
		}()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			f.get(t, "/api/foo/x", 200, `{"code":0}`)
		}()
		answer := <-ask
		began := time.Now()
		stopped := make(chan time.Duration, 1)
		go func() {
			f.stop()
			stopped <- time.Since(began)
		}()
		synctest.Wait()

		f.get(t, "/healthz", 200, `{"code":0}`)
		f.get(t, "/readyz", 503, `{"code":503,"msg":"server stops"}`)
		resp, body := f.request(t, "GET", "/api/agents")
		if resp.StatusCode != 503 || body != `{"code":503,"msg":"server stops"}` || resp.Header.Get("Retry-After") == "" {
			t.Errorf("a new request: %s %s %v", resp.Status, body, resp.Header)
		}
		_, err := f.tryConnect(conn.Options{})
		if refused := (*conn.RefusedError)(nil); !errors.As(err, &refused) || refused.Status != 503 || refused.RetryAfter < time.Second || refused.RetryAfter > 6*time.Second {
			t.Errorf("a new agent: %v", err)
		}

		time.Sleep(2 * time.Second)
		if err := c.Send(context.Background(), conn.Control, answer); err != nil {
			t.Fatal(err)
		}
		<-answered
		var bye *conn.PeerClosedError
		if err := <-agentDone; !errors.As(err, &bye) || bye.Code != conn.CodeGoingAway || bye.Reason != "server stops" {
			t.Errorf("the agent's connection ended with %v, want 1001", err)
		}
		c.Close(conn.CodeNormal, "")
		if took := <-stopped; took > 3*time.Second {
			t.Errorf("stopped after %v, the request took 2 s", took)
		}
	})
}

// A request that does not end is cut off after 5 s, and says so.
func TestStopCutsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c := f.agent(t, "x", "example-agent")
		asked := make(chan struct{}, 1)
		serve(c, func(*wire.Frame) []byte {
			asked <- struct{}{}
			return nil
		})
		var took time.Duration
		began := time.Now()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			f.get(t, "/api/foo/x", 503, `{"code":503,"msg":"server stops"}`)
			took = time.Since(began)
		}()
		<-asked
		f.stop()
		<-answered
		if took != 5*time.Second {
			t.Errorf("the request was cut off after %v, want 5 s", took)
		}
		if all := time.Since(began); all > maxStop {
			t.Errorf("stopped after %v", all)
		}
	})
}

// Agents and clients that do nothing, and those that do not even read, cannot hold the server.
func TestStopWithDeadAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{ConnectLimit: -1})
		var stalled sync.WaitGroup
		for i := range 100 {
			c := upgrade(t, f)
			defer c.Close()
			writeFrame(t, c, 1, comeFrame(fmt.Sprintf(`"reads-nothing-%d"`, i)))
			readFrame(t, c)
			stalled.Go(func() { // keeps the connection busy with a frame that is not taken
				_, err := call(context.Background(), f, fmt.Sprintf("reads-nothing-%d", i), "")
				wantErr(t, err, server.ErrGone)
			})
			frozen(t, f, fmt.Sprintf("does-nothing-%d", i))
			defer upgrade(t, f).Close() // never shakes hands
		}
		synctest.Wait()
		began := time.Now()
		f.stop()
		if took := time.Since(began); took > maxStop {
			t.Errorf("stopped after %v", took)
		}
		stalled.Wait()
		if got := f.metric(t, "agent_count"); got != "" {
			t.Errorf("the API still answers: %q", got)
		}
	})
}

// The whole, over sockets: clients that only connect, send half a header, read nothing, and two thousand agents.
func TestStopOverTheNetwork(t *testing.T) {
	f := start(t, server.Config{ConnectLimit: -1})
	for i := range 2000 {
		c := upgrade(t, f)
		defer c.Close()
		writeFrame(t, c, 1, comeFrame(fmt.Sprintf(`"host-%d"`, i)))
		readFrame(t, c)
	}
	for _, addr := range []net.Addr{f.AgentAddr(), f.APIAddr()} {
		for _, text := range []string{"", "GET /ws/agent HTTP/1.1\r\nHost:", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + f.token + "\r\n\r\n"} {
			c, err := net.Dial("tcp", addr.String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	began := time.Now()
	f.stop() // nothing of this holds it for ever; how long each may is told in the tests before
	t.Logf("stopped after %v", time.Since(began))
	if _, err := net.Dial("tcp", f.AgentAddr().String()); err == nil {
		t.Error("the listener for agents is still open")
	}
}

func TestRunTwice(t *testing.T) {
	f := start(t, server.Config{})
	f.stop()
	if err := f.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "runs or ran already") {
		t.Errorf("error %v", err)
	}
}

// An address that is taken is an error that says which, and leaves nothing open.
func TestListenFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for key, cfg := range map[string]server.Config{
		"listen":     {Listen: taken.Addr().String(), API: server.APIConfig{Listen: "127.0.0.1:0"}},
		"api.listen": {Listen: "127.0.0.1:0", API: server.APIConfig{Listen: taken.Addr().String()}},
	} {
		cfg.DataDir = t.TempDir()
		srv, err := server.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), key+" = "+taken.Addr().String()+": bind: ") {
			t.Errorf("%s is taken: error %v", key, err)
		}
		if srv.AgentAddr() != nil || srv.APIAddr() != nil {
			t.Errorf("%s is taken: the other one is open", key)
		}
	}
}

// Both handlers work on a server of somebody else's.
func TestMounted(t *testing.T) {
	cfg := server.Config{Listen: "none", DataDir: t.TempDir()}
	cfg.API.Listen = "none"
	f := setUp(t, cfg)
	mux := http.NewServeMux()
	mux.Handle("/ws/", f.AgentHandler())
	mux.Handle("/", f.APIHandler())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- web.Serve(ln) }()
	f.dial = func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }
	f.run(t)
	c := f.agent(t, "x", "example-agent")
	serve(c, bar)
	f.get(t, "/api/foo/x", 200, `{"code":0}`)
	if f.AgentAddr() != nil || f.APIAddr() != nil {
		t.Errorf("addresses %v, %v, want none", f.AgentAddr(), f.APIAddr())
	}
	f.stop()
	c.Close(conn.CodeNormal, "")
	web.Close()
	<-served
}
