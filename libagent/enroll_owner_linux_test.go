package libagent_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// service is the number of the user that an agent runs as in these tests.
const service = 65534

// owned makes a config file of an agent that runs as another user, in a folder of that user.
func owned(t *testing.T, settings ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root")
	}
	file := agentConf(t, settings...)
	dir := filepath.Dir(file)
	for _, path := range []string{dir, file} {
		if err := os.Chown(path, service, service); err != nil {
			t.Fatal(err)
		}
	}
	for path := dir; strings.HasPrefix(path, os.TempDir()) && path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func ownerOf(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// Root enrols an agent that runs as another user: that one can read what is there then.
func TestEnrollByRoot(t *testing.T) {
	ca := newTestCA(t)
	is := newIssuer(t, ca, ca.server(nil))
	for _, elsewhere := range []string{"", filepath.Join(t.TempDir(), "a", "b")} {
		file := owned(t, "basic.id =", "basic.server = "+is.addr(), "basic.tls.dir = "+elsewhere)
		dir := elsewhere
		if dir == "" {
			dir = filepath.Join(filepath.Dir(file), "identity")
		}
		if code, out := runCommand(t, "", "enroll", "--conf", file, "--token", "good", "--ca-fingerprint", ca.fingerprint()); code != 0 {
			t.Fatalf("code %d: %s", code, out)
		}
		for _, name := range []string{".", "agent.pem", "ca.pem"} {
			if uid := ownerOf(t, filepath.Join(dir, name)); uid != service {
				t.Errorf("%s belongs to %d", name, uid)
			}
		}
		if uid := ownerOf(t, file); uid != service {
			t.Errorf("the config belongs to %d", uid)
		}
	}
}

// An agent that was taken over has put a link where its identity should be. Root, who enrols it, neither writes where that leads
// nor gives anything of it away.
func TestEnrollByRootThroughLink(t *testing.T) {
	ca := newTestCA(t)
	is := newIssuer(t, ca, ca.server(nil))
	file := owned(t, "basic.id =", "basic.server = "+is.addr())
	victim := t.TempDir()
	if err := os.WriteFile(filepath.Join(victim, "shadow"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(filepath.Dir(file), "identity")); err != nil {
		t.Fatal(err)
	}
	code, out := runCommand(t, "", "enroll", "--conf", file, "--token", "good", "--ca-fingerprint", ca.fingerprint())
	if code == 0 || !strings.Contains(out, "permission denied") {
		t.Errorf("code %d: %s", code, out)
	}
	if uid := ownerOf(t, filepath.Join(victim, "shadow")); uid != 0 {
		t.Errorf("a file of root belongs to %d now", uid)
	}
	if names, err := os.ReadDir(victim); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
}
