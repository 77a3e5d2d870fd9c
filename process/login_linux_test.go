package process_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/process"
)

// root switches user, groups and environment, and needs no password for it.
func TestRootSwitchesUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: takes root")
	}
	t.Setenv("PROCESS_TEST_SECRET", "of root")
	t.Setenv("LANG", "zh_CN.UTF-8")
	r := runner(t, process.Config{})
	for _, auth := range []process.Auth{process.AuthNone, process.AuthSudo, process.AuthSu} {
		out, res := run(t, r, process.Command{
			Line: "id -un; id -gn; id -Gn; echo $USER $HOME $LANG $PROCESS_TEST_SECRET $MINE; cat /etc/shadow 2>/dev/null; pwd",
			User: "nobody", Auth: auth, Env: []string{"MINE=1"}, Dir: "/", Password: "not needed",
		})
		want := "nobody\nnogroup\nnogroup\nnobody /nonexistent zh_CN.UTF-8 1\n/\n"
		if out != want || res.Code != 0 {
			t.Errorf("%v: %q, %+v; want %q", auth, out, res, want)
		}
	}
	if out, _ := run(t, r, process.Command{Args: []string{"id", "-u"}, User: "65534"}); out != "65534\n" {
		t.Errorf("by number: %q", out)
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := r.Start(t.Context(), process.Command{Args: []string{"id"}, User: "nobody", Dir: closed})
	if !errors.Is(err, process.ErrNotExecutable) || !strings.Contains(err.Error(), closed) {
		t.Errorf("in a folder that is closed to him: %v", err)
	}
}

// Who is not root becomes another user with sudo through a pipe and with su through a terminal. The password goes there and
// nowhere else, and the command's input and output are its own.
func TestLogin(t *testing.T) {
	if os.Getenv("PROCESS_TEST_AS") == "" && os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	dir := os.Getenv("PROCESS_TEST_AS")
	if dir == "" {
		t.Skip("SKIP: takes root to begin with")
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv(helperVariable, "login")
	r := runner(t, process.Config{})
	type test struct {
		name string
		c    process.Command
		want string
		err  string
	}
	for _, auth := range []process.Auth{process.AuthSudo, process.AuthSu} {
		for _, tt := range []test{
			{"right", process.Command{Args: []string{"printf", "%s|", "a b", "$HOME"}, Password: "right secret"}, "a b|$HOME|", ""},
			{"line", process.Command{Line: "echo $LOGNAME $MINE; exit 3", Env: []string{"MINE=x y"}, Password: "right secret"}, "other x y\n", ""},
			{"input", process.Command{Args: []string{"cat"}, Stdin: strings.NewReader("given\n"), Password: "right secret"}, "given\n", ""},
			{"no input", process.Command{Args: []string{"cat"}, Password: "right secret"}, "", ""},
			{"arguments", process.Command{Line: "tr '\\0' ' ' </proc/$PPID/cmdline | grep -c 'right [s]ecret'; env | grep -c right", Password: "right secret"}, "0\n0\n", ""},
			{"terminal", process.Command{Line: "test -t 1 && echo yes", Terminal: &process.Size{}, Password: "right secret"}, "yes\r\n", ""},
			{"wrong", process.Command{Args: []string{"true"}, Password: "wrong secret"}, "", auth.String()},
			{"none", process.Command{Args: []string{"true"}}, "", auth.String()},
			{"not found", process.Command{Args: []string{"no-such-command"}, Password: "right secret"}, "", "command not found"},
		} {
			t.Run(auth.String()+"/"+tt.name, func(t *testing.T) {
				tt.c.User, tt.c.Auth = "root", auth
				if tt.err == "" {
					if out, _ := run(t, r, tt.c); out != tt.want {
						t.Errorf("got %q, want %q", out, tt.want)
					}
					return
				}
				_, err := r.Start(t.Context(), tt.c)
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "secret") {
					t.Errorf("error %v, want one of %q, without the password", err, tt.err)
				}
				if tt.err == auth.String() && !errors.Is(err, process.ErrDenied) {
					t.Errorf("error %v is no ErrDenied", err)
				}
			})
		}
	}
	t.Run("no password asked", func(t *testing.T) {
		t.Setenv("PROCESS_TEST_NOPASSWORD", "1")
		c := process.Command{Args: []string{"cat"}, User: "root", Auth: process.AuthSudo, Password: "right secret", Stdin: strings.NewReader("mine")}
		if out, _ := run(t, r, c); out != "mine" {
			t.Errorf("the command was given %q", out)
		}
	})
	if _, err := r.Start(t.Context(), process.Command{Args: []string{"id"}, User: "root"}); !errors.Is(err, process.ErrDenied) {
		t.Errorf("without auth: %v", err)
	}
}

// asNobody runs this test once more as somebody who is not root, with programs named sudo and su.
func asNobody(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "process-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sudo", "su", "test"} {
		if err := os.WriteFile(filepath.Join(dir, name), binary, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(dir, "test"), "-test.run=^TestLogin$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PROCESS_TEST_AS="+dir, "TMPDIR=/tmp")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	} else if !strings.Contains(string(out), "--- PASS: TestLogin/su/right") {
		t.Errorf("as nobody nothing was tested:\n%s", out)
	}
}
