package remote_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/remote"
	"github.com/jkstack/jkframe/v2/policy"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// An agent that is killed and started again ends what it had started, and tells the server of each command that it is over.
func TestAgentKilled(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/policy.conf", all)
	conns := make(chan *conn.Conn)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Upgrade(w, r, conn.Options{}); err == nil {
			conns <- c
		}
	}))
	defer srv.Close()
	launch := func() (*exec.Cmd, *conn.Conn) {
		self, err := os.Executable()
		must(t, err)
		cmd := exec.Command(self, strings.TrimPrefix(srv.URL, "http://"))
		cmd.Env = append(os.Environ(), agentVariable+"="+dir)
		must(t, cmd.Start())
		c := <-conns
		next(t, c, wire.Come.Type())
		b, err := wire.Handshake.Append(nil, "", &wire.HandshakePayload{OK: true, ID: "killed-01"})
		must(t, err)
		must(t, c.Send(t.Context(), conn.Control, b))
		return cmd, c
	}
	cmd, c := launch()
	// The last one hides: it has no parent, a session of its own, and nothing in its environment.
	line := "setsid sleep 1000 & sleep 1000 & env -i setsid sh -c 'echo $$; exec sleep 1000' & wait"
	b, err := wire.Exec.Append(nil, "task-1", &wire.ExecPayload{Cmd: line, Detail: true})
	must(t, err)
	must(t, c.Send(t.Context(), conn.Control, b))
	begun, err := wire.Execd.Decode(next(t, c, wire.Execd.Type()))
	must(t, err)
	said, err := wire.ExecData.Decode(next(t, c, wire.ExecData.Type()))
	must(t, err)
	hidden := "/proc/" + strings.TrimSpace(string(said.Data))
	inGroup, err := os.ReadFile(hidden + "/cgroup")
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimPrefix(hidden, "/proc/"))
	must(t, err)
	defer syscall.Kill(pid, syscall.SIGKILL) // where nobody else does
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	c.Close(conn.CodeNormal, "")

	cmd, c = launch()
	f := next(t, c, wire.ExecDone.Type())
	done, err := wire.ExecDone.Decode(f)
	if err != nil || f.Task != "task-1" || done.Code != -1 || done.Why != wire.WhyStopped {
		t.Errorf("%s: %+v, %v", f.Task, done, err)
	}
	if _, err := os.Stat("/proc/" + strconv.Itoa(begun.PID) + "/exe"); err == nil {
		t.Error("the command runs")
	}
	if !strings.Contains(string(inGroup), "/task-") {
		t.Log("SKIP: one that hides is found in a control group alone")
	} else if _, err := os.Stat(hidden + "/exe"); err == nil {
		t.Error("what hides runs")
	}
	for { // until nothing is noted
		left, err := os.ReadDir(dir + "/data/running")
		must(t, err)
		if len(left) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	must(t, cmd.Process.Signal(os.Interrupt))
	c.Close(conn.CodeNormal, "")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// next takes the next frame of a type.
func next(t *testing.T, c *conn.Conn, typ wire.Type) *wire.Frame {
	t.Helper()
	for {
		f, err := c.Receive()
		must(t, err)
		if f.Type == typ {
			return f
		}
	}
}

// A second agent with the same folder, started by hand beside the service, does not start, and takes no script away from the first.
func TestFolderInUse(t *testing.T) {
	f := start(t, all, nil)
	script := f.dir + "/data/tmp/script.sh"
	put(t, script, "exit 3")
	second := &testApp{cfg: remote.Config{Policy: policy.NewSource(f.policy), DataDir: f.dir + "/data"}}
	c := second.NewConfig()
	c.Basic().Server = []string{"127.0.0.1:1"}
	err := libagent.Run(t.Context(), second, &libagent.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the second agent: %v", err)
	}
	if e := f.run(t, wire.ExecPayload{Cmd: "sh", Args: []string{script}}); e.done.Code != 3 {
		t.Errorf("%+v", e)
	}
}
