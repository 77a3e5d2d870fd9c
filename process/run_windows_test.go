package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/jkstack/jkframe/v2/process"
)

// helper is this program, which does something else.
func helper(t *testing.T, does string, args ...string) process.Command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process.Command{Args: append([]string{self}, args...), Env: []string{helperVariable + "=" + does}}
}

// Arguments come as they were given, output and exit status come back, input is what it should be.
func TestRun(t *testing.T) {
	r := runner(t, process.Config{})
	args := []string{"a b", `c"d`, `e\`, `f\"g h\\`, "", "%PATH%", "&", "^"}
	if out, res := run(t, r, helper(t, "arguments", args...)); out != strings.Join(args, "|") || res.Code != 0 || res.Reason != process.Itself {
		t.Errorf("%q, %+v", out, res)
	}
	for _, code := range []string{"3", "259", "3221225477"} {
		if _, res := run(t, r, helper(t, "exit", code)); res.Code != int64(number(t, code)) || res.Signal != "" {
			t.Errorf("exit %s: %+v", code, res)
		}
	}
	c := helper(t, "input")
	if out, _ := run(t, r, c); out != "" {
		t.Errorf("no input: %q", out)
	}
	c.Stdin = strings.NewReader("given")
	if out, _ := run(t, r, c); out != "given" {
		t.Errorf("input: %q", out)
	}
	for range 5 {
		if out, _ := run(t, r, helper(t, "much")); len(out) != 1_000_003 || !strings.HasSuffix(out, "\nend") {
			t.Errorf("%d bytes", len(out))
		}
	}
	dir := t.TempDir()
	out, res := run(t, r, process.Command{Line: `echo "a b" %MINE%& cd& exit /b 7`, Env: []string{"MINE=1"}, Dir: dir})
	if lines := strings.Fields(out); res.Code != 7 || len(lines) < 4 || strings.Join(lines[:3], " ") != `"a b" 1` || !strings.EqualFold(strings.Join(lines[3:], " "), dir) {
		t.Errorf("line: %q, %+v", out, res)
	}
}

// What is given to a batch file is an argument, and no command: a policy that allows the one does not allow every other.
func TestBatchFile(t *testing.T) {
	r := runner(t, process.Config{})
	dir := filepath.Join(t.TempDir(), "a folder")
	file := filepath.Join(dir, "file.bat")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(file, []byte("@echo off\r\necho 1=%1 2=%2\r\nexit /b 5\r\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{"plain", "a b", "a&echo,more", "a|more", "a>more", "^&echo,more", "(more)", "!PATH!", `C:\folder\`, ""} {
		for _, name := range []string{file, strings.ToUpper(file)} {
			want := `1="` + arg + `" 2="last"`
			if out, res := run(t, r, process.Command{Args: []string{name, arg, "last"}, Dir: dir}); strings.TrimSpace(out) != want || res.Code != 5 {
				t.Errorf("%q: %q, %+v, want %q", arg, out, res, want)
			}
		}
	}
	for _, arg := range []string{`"&echo,more`, "%PATH%", "a\r\necho more", "a\necho more"} {
		for _, name := range []string{file, file + ".", file + " "} {
			if _, err := r.Start(t.Context(), process.Command{Args: []string{name, arg}}); !errors.Is(err, process.ErrInvalid) && !errors.Is(err, process.ErrNotFound) {
				t.Errorf("%q %q: %v", name, arg, err)
			}
		}
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// Why a command did not start is told apart.
func TestStartErrors(t *testing.T) {
	r := runner(t, process.Config{})
	text := filepath.Join(t.TempDir(), "text.exe")
	if err := os.WriteFile(text, []byte("this is no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		c    process.Command
		want error
	}{
		"not found":   {process.Command{Args: []string{"no-such-command"}}, process.ErrNotFound},
		"no program":  {process.Command{Args: []string{text}}, process.ErrNotExecutable},
		"folder":      {process.Command{Args: []string{t.TempDir()}}, process.ErrNotExecutable},
		"no folder":   {process.Command{Line: "cd", Dir: `C:\no\such\folder`}, process.ErrNoFolder},
		"user":        {process.Command{Line: "cd", User: "somebody"}, process.ErrDenied},
		"no such way": {process.Command{Line: "cd", User: "somebody", Auth: process.AuthSudo}, process.ErrUnsupported},
		"terminal":    {process.Command{Line: "cd", Terminal: &process.Size{}}, process.ErrUnsupported},
	} {
		if _, err := r.Start(t.Context(), tt.c); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// gone waits for the end of a process that was killed.
func gone(t *testing.T, pid int) {
	t.Helper()
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return
	}
	defer windows.CloseHandle(h)
	if e, err := windows.WaitForSingleObject(h, 5000); err != nil || e != windows.WAIT_OBJECT_0 {
		t.Errorf("process %d is alive: %v", pid, err)
	}
}

// A kill, a timeout and the end of the context end the child of the child, too.
func TestKillsTheWholeTree(t *testing.T) {
	r := runner(t, process.Config{})
	for _, how := range []process.Reason{process.Killed, process.Timeout, process.Stopped} {
		var out buffer
		c := helper(t, "family")
		c.Output = &out
		if how == process.Timeout {
			c.Timeout = 3 * time.Second
		}
		ctx, cancel := context.WithCancel(t.Context())
		p, err := r.Start(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		child := number(t, line(t, &out, 0))
		switch how {
		case process.Killed:
			p.Kill()
		case process.Stopped:
			cancel()
		}
		if res := p.Wait(); res.Reason != how || res.Err != nil {
			t.Errorf("%s: %+v", how, res)
		}
		gone(t, child)
		cancel()
	}
}

// What a command has left in the background does not hold its end, even if it holds the output, and ends with the Runner.
func TestBackground(t *testing.T) {
	r := process.NewRunner(process.Config{})
	out, res := run(t, r, helper(t, "daemon"))
	if res.Code != 0 || res.Background != 1 {
		t.Errorf("%+v", res)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	gone(t, number(t, strings.TrimSpace(out)))
}
