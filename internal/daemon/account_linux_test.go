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
