package e2e_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// secret is the password of these tests.
const secret = "pa55-w0rd-9f2c"

// outside is an address of this host that is none of loopback, with a free port.
func outside(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	check(t, err)
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			_, port, err := net.SplitHostPort(freeport.Addr(t))
			check(t, err)
			return net.JoinHostPort(n.IP.String(), port)
		}
	}
	t.Skip("SKIP: there is no address beside loopback")
	return ""
}

// refusesPasswords wants that no call takes a password.
func (f *remoteFleet) refusesPasswords(t *testing.T) {
	t.Helper()
	status, v := f.run("a", `{"cmd":"id","auth":"sudo","user":"root","pass":"`+secret+`"}`)
	if status != 403 || !strings.Contains(v.Msg, "password") || strings.Contains(v.Msg, secret) {
		t.Errorf("run: %d %+v", status, v)
	}
	status, body := f.form("/api/script/a/run", "x.sh", "id\n", "type", "sh", "auth", "su", "user", "root", "pass", secret, "file", "")
	wants(t, "script", status, body, 403, "password")
	for _, path := range []string{"/cmd/run", "/cmd/sync_run"} {
		status, body = f.form(path, "", "", "id", "a", "cmd", "id", "auth", "sudo", "user", "root", "pass", secret)
		wants(t, path, status, body, 200, `"code":500`)
	}
	status, body = f.form("/file/upload", "x", "x", "id", "a", "dir", f.open, "user", "root", "pass", secret, "file", "")
	wants(t, "upload", status, body, 200, `"code":500`)
	if status, v := f.run("a", `{"cmd":"true"}`); status != 200 {
		t.Errorf("without a password: %d %+v", status, v)
	}
}

// A password is not taken over a connection that others can read.
func TestRemotePassword(t *testing.T) {
	f := newRemoteFleetAt(t, freeport.Addr(t), outside(t), "insecure = true\n")
	f.refusesPasswords(t)
}

// Nor is one sent to an agent over such a connection, wherever it came from.
func TestRemotePasswordOfPlainAgent(t *testing.T) {
	f := newRemoteFleetAt(t, outside(t), freeport.Addr(t), "insecure = true\nagents.auth = open\n")
	f.refusesPasswords(t)
	f.nowhere(t)
}

// nowhere wants that no file, log, argument and variable of the programs, nor of what they have started, holds the password.
func (f *remoteFleet) nowhere(t *testing.T) {
	t.Helper()
	looked := 0
	for _, home := range append([]string{f.open}, f.homes...) {
		check(t, filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // it has gone
			}
			b, err := os.ReadFile(path)
			if err == nil && bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s has the password", path)
			}
			looked++
			return nil
		}))
	}
	if looked < 10 {
		t.Errorf("only %d files", looked)
	}
	for _, p := range f.programs {
		if strings.Contains(p.log(), secret) {
			t.Errorf("the log of %s has the password", p.cmd.Path)
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	check(t, err)
	for _, dir := range processes {
		for _, name := range []string{"cmdline", "environ"} {
			if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil && bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s of %s has the password", name, dir)
			}
		}
	}
}

// A password that is taken is for sudo and su alone: it is in no list of processes, variable, record, log, answer, and not in what a
// program leaves that is killed with a dump of its stacks.
func TestRemotePasswordIsNowhere(t *testing.T) {
	f := newRemoteFleet(t, "")
	policy, err := os.ReadFile(f.policy)
	check(t, err)
	check(t, os.WriteFile(f.policy, append(policy, "exec.users = *\n"...), 0o600))
	for i, q := range []string{
		`{"cmd":"sleep","args":["600"],"auth":"sudo","user":"nobody","pass":%q,"result":false}`,
		`{"cmd":"sleep 600; true","auth":"su","user":"nobody","pass":%q,"result":false}`,
		`{"cmd":"env; tr '\\0' ' ' </proc/self/cmdline","auth":"sudo","user":"nobody","pass":%q}`,
		`{"cmd":"no-such-command","auth":"su","user":"nobody","pass":%q}`,
		`{"cmd":"true","auth":"sudo","user":"no-such-user","pass":%q}`,
	} {
		status, v := f.run("a", fmt.Sprintf(q, secret))
		if os.Geteuid() == 0 && i < 3 && status != 200 {
			t.Errorf("%s: %d %+v", q, status, v)
		}
		if r := v.Payload.Result; r != nil && strings.Contains(string(r.Data), secret) || strings.Contains(v.Msg, secret) {
			t.Errorf("%s: %+v", q, v)
		}
		if pid := v.Payload.PID; pid > 0 {
			t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) }) // the agent will not be there for it
		}
	}
	for _, path := range []string{"/cmd/sync_run", "/cmd/run"} {
		if _, body := f.form(path, "", "", "id", "a", "cmd", "id", "auth", "sudo", "user", "nobody", "pass", secret); strings.Contains(body, secret) {
			t.Errorf("%s: %s", path, body)
		}
	}
	_, body := f.form("/api/script/a/run", "x.sh", "id\n", "type", "sh", "auth", "su", "user", "nobody", "pass", secret, "file", "")
	_, more := f.form("/file/upload", "x", "x", "id", "a", "dir", f.open, "user", "nobody", "pass", secret, "file", "")
	_, list := f.get("/api/exec/a/ps")
	_, record := f.get("/api/audit")
	if strings.Contains(body+more+list+record, secret) {
		t.Errorf("answers: %s\n%s\n%s\n%s", body, more, list, record)
	}
	if !strings.Contains(list, `"pid"`) && os.Geteuid() == 0 {
		t.Errorf("nothing runs: %s", list)
	}
	f.nowhere(t)
	for _, p := range f.programs {
		check(t, p.cmd.Process.Signal(syscall.SIGQUIT))
		_ = p.cmd.Wait() // with a status of its own
	}
	if !strings.Contains(f.programs[1].log(), "goroutine ") {
		t.Error("the agent has left no stacks")
	}
	f.nowhere(t)
}
