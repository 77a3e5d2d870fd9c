package agent_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
	"github.com/shirou/gopsutil/v3/process"
)

// build compiles example-agent as a release does.
func build(b *testing.B) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "example-agent.exe")
	cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary,
		"github.com/jkstack/jkframe/v2/examples/example-agent")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, said)
	}
	return binary
}

// serve is a server that takes every agent, and tells when one has come.
func serve(b *testing.B) (addr string, came <-chan time.Time) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	comes := make(chan time.Time, 1)
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err != nil {
			return
		}
		defer c.Close(conn.CodeNormal, "")
		f, err := c.Receive()
		if err != nil {
			return
		}
		come, err := wire.Come.Decode(f)
		if err != nil {
			return
		}
		reply, err := wire.Handshake.Append(nil, "", &wire.HandshakePayload{OK: true, ID: come.ID})
		if err == nil {
			err = c.Send(ctx, conn.Control, reply)
		}
		comes <- time.Now()
		for err == nil {
			_, err = c.Receive()
		}
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(l)
	}()
	b.Cleanup(func() {
		cancel()
		srv.Close()
		<-ended
	})
	return l.Addr().String(), comes
}

// start starts the agent with a config of its own.
func start(b *testing.B, binary, addr string) *exec.Cmd {
	b.Helper()
	dir := b.TempDir()
	text := "basic.id = bench-01\nbasic.server = " + addr + "\nbasic.log.target = file\nbasic.http.listen = unix:agent.sock\n"
	if err := os.WriteFile(filepath.Join(dir, "agent.conf"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(binary, "run", "--conf", "agent.conf")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd
}

func stop(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

// From the start of the process to a handshake that both ends have made.
func BenchmarkStartToHandshake(b *testing.B) {
	binary := build(b)
	addr, came := serve(b)
	info, err := os.Stat(binary)
	if err != nil {
		b.Fatal(err)
	}
	best, total := time.Hour, time.Duration(0)
	for b.Loop() {
		begin := time.Now()
		cmd := start(b, binary, addr)
		took := (<-came).Sub(begin)
		best, total = min(best, took), total+took
		stop(b, cmd)
	}
	b.ReportMetric(float64(best.Microseconds())/1000, "ms-best")
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms-mean")
	b.ReportMetric(float64(info.Size())/1e6, "MB-stripped")
}

// An agent that has nothing to do but its heartbeats and reports. It is watched for half a minute, in which there is one report.
func BenchmarkIdleMinute(b *testing.B) {
	binary := build(b)
	addr, came := serve(b)
	for b.Loop() {
		cmd := start(b, binary, addr)
		<-came
		p, err := process.NewProcess(int32(cmd.Process.Pid))
		if err != nil {
			b.Fatal(err)
		}
		before, err := p.Times()
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		after, err := p.Times()
		if err != nil {
			b.Fatal(err)
		}
		m, err := p.MemoryInfo()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(2*(after.User+after.System-before.User-before.System), "CPU-s/min")
		b.ReportMetric(float64(m.RSS)/1e6, "MB-RSS")
		stop(b, cmd)
	}
}
