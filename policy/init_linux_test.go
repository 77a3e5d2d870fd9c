package policy_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/policy"
)

// Root writes the policy of an agent that runs as another user: that one can read it, and not change it.
func TestInitByRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 65534, 65533); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "policy.conf")
	if err := policy.Init(file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 || st.Gid != 65533 || info.Mode() != 0o640 {
		t.Errorf("%d:%d, mode %v", st.Uid, st.Gid, info.Mode())
	}
	if err := policy.NewSource(file).Current().Check(); err != nil {
		t.Error(err)
	}
}
