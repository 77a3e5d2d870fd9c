package secretfile_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// What root makes in a folder of somebody else can be read by him, and what root makes in its own stays root's.
func TestCreateAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root")
	}
	for _, owner := range []uint32{0, 65534} {
		dir := t.TempDir()
		if err := os.Chown(dir, int(owner), int(owner)); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "a", "b", "secret")
		if err := secretfile.Create(file, []byte("12345")); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{file, filepath.Dir(file), filepath.Join(dir, "a")} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if st := info.Sys().(*syscall.Stat_t); st.Uid != owner || st.Gid != owner {
				t.Errorf("%s belongs to %d:%d, want %d", path, st.Uid, st.Gid, owner)
			}
		}
	}
}
