package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/daemon"
)

// Who runs a service may put a link in the place of its folders: whoever installs it again does not give away what that leads to.
func TestGiveFollowsNoLink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root")
	}
	home, victim := t.TempDir(), t.TempDir()
	conf := filepath.Join(home, "conf", "agent.conf")
	secret := filepath.Join(victim, "secret")
	for _, file := range []string{conf, secret, filepath.Join(home, "run", "file")} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	logs := filepath.Join(home, "logs")
	if err := os.Symlink(victim, logs); err != nil {
		t.Fatal(err)
	}
	err := daemon.Give(65534, 65534, conf, daemon.Plan{Folders: []string{filepath.Join(home, "run"), logs}})
	if err == nil || !strings.Contains(err.Error(), logs+" is a link") {
		t.Errorf("error %v", err)
	}
	for path, want := range map[string]uint32{conf: 65534, filepath.Join(home, "run", "file"): 65534, victim: 0, secret: 0} {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != want {
			t.Errorf("%s belongs to %d, want %d", path, uid, want)
		}
	}
}

// The account of a service that is removed leaves nothing to who gets its number next, and takes nothing from anybody else.
func TestTakeBack(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root")
	}
	const service, other = 65534, 65533
	dir := t.TempDir()
	home, elsewhere := filepath.Join(dir, "agent"), filepath.Join(dir, "elsewhere")
	want := map[string]int{home: 0}
	for _, f := range []struct {
		path          string
		before, after int
	}{
		{filepath.Join(home, "conf", "identity", "agent.pem"), service, 0},
		{filepath.Join(home, "data", "file"), other, other},
		{elsewhere, service, service}, // a link leads there
	} {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(f.path, f.before, f.before); err != nil {
			t.Fatal(err)
		}
		want[f.path] = f.after
	}
	link := filepath.Join(home, "link")
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{home, filepath.Join(home, "conf", "identity"), link} {
		if err := os.Lchown(path, service, service); err != nil {
			t.Fatal(err)
		}
		want[path] = 0
	}
	if err := daemon.TakeBack(service, home); err != nil {
		t.Fatal(err)
	}
	for path, uid := range want {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; int(got) != uid {
			t.Errorf("%s belongs to %d, want %d", path, got, uid)
		}
	}
	if err := daemon.TakeBack(service, filepath.Join(dir, "gone")); err != nil {
		t.Errorf("a folder that is gone: %v", err)
	}
}
