package remote_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

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
	b, err := wire.Exec.Append(nil, "task-1", &wire.ExecPayload{Cmd: "setsid sleep 1000 & sleep 1000 & echo $$; wait", Detail: true})
	must(t, err)
	must(t, c.Send(t.Context(), conn.Control, b))
	begun, err := wire.Execd.Decode(next(t, c, wire.Execd.Type()))
	must(t, err)
	next(t, c, wire.ExecData.Type())
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
	for range 500 {
		if left, _ := os.ReadDir(dir + "/data/running"); len(left) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left, _ := os.ReadDir(dir + "/data/running"); len(left) != 0 {
		t.Errorf("%v is still noted", left)
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
