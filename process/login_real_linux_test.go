package process_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/process"
)

// realUser names, in the environment, the user that a test has made.
const realUser = "PROCESS_TEST_REAL_USER"

const realPassword = "Thr0w-away-9f2c"

// What this machine's own sudo and su say and ask is understood, for a user that is made for the test and removed after it.
func TestRealLogin(t *testing.T) {
	if name := os.Getenv(realUser); name != "" {
		realLogin(t, name)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("SKIP: takes root, to make a user")
	}
	for _, program := range []string{"sudo", "su", "useradd", "userdel", "chpasswd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIP: %v", err)
		}
	}
	name := fmt.Sprintf("jkp%d", os.Getpid())
	if out, err := exec.Command("useradd", "--no-create-home", "--shell", "/bin/sh", name).CombinedOutput(); err != nil {
		t.Skipf("SKIP: no user can be made: %v: %s", err, out)
	}
	rule := filepath.Join("/etc/sudoers.d", name)
	t.Cleanup(func() {
		if err := os.Remove(rule); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		if out, err := exec.Command("userdel", name).CombinedOutput(); err != nil {
			t.Errorf("userdel: %v: %s", err, out)
		}
	})
	set := exec.Command("chpasswd")
	set.Stdin = strings.NewReader(name + ":" + realPassword + "\n")
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("chpasswd: %v: %s", err, out)
	}
	if err := os.WriteFile(rule, []byte(name+" ALL=(root) PASSWD: ALL\n"), 0o440); err != nil {
		t.Skipf("SKIP: sudo takes no rules: %v", err)
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	dir, err := os.MkdirTemp("/tmp", "process-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "test"), binary, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "test"), "-test.run=^TestRealLogin$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), realUser+"="+name, "TMPDIR=/tmp", "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestRealLogin") {
		t.Errorf("as %s: %v\n%s", name, err, out)
	}
}

func realLogin(t *testing.T, name string) {
	r := runner(t, process.Config{})
	for _, tt := range []struct {
		auth   process.Auth
		target string
	}{{process.AuthSudo, "root"}, {process.AuthSu, name}} {
		c := process.Command{User: tt.target, Auth: tt.auth, Password: realPassword}
		c.Line = "id -un; cat; exit 3"
		c.Stdin = strings.NewReader("given\n")
		if out, res := run(t, r, c); out != tt.target+"\ngiven\n" || res.Code != 3 {
			t.Errorf("%v: %q, %+v", tt.auth, out, res)
		}
		c.Line, c.Stdin, c.Password = "id", nil, "wrong-"+realPassword
		if _, err := r.Start(t.Context(), c); !errors.Is(err, process.ErrDenied) || strings.Contains(err.Error(), realPassword) {
			t.Errorf("%v with a wrong password: %v", tt.auth, err)
		}
	}
}
