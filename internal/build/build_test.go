package build_test

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/build"
)

// Whoever has a program in hand can tell from which commit it is: the linker's names are those of this package.
func TestStamped(t *testing.T) {
	out := filepath.Join(t.TempDir(), "program.exe")
	const flags = "-X github.com/jkstack/jkframe/v2/internal/build.commit=0123abc -X github.com/jkstack/jkframe/v2/internal/build.date=2026-11-20T00:00:00Z"
	if said, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags="+flags, "-o", out, "../../examples/example-agent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	said, err := exec.Command(out, "version").CombinedOutput()
	if err != nil || !strings.HasSuffix(string(said), "\ncommit 0123abc of 2026-11-20T00:00:00Z\n") {
		t.Errorf("version says %q, %v", said, err)
	}
}

func TestOf(t *testing.T) {
	b := build.Of("x", "1.2.3")
	if b.Name != "x" || b.Version != "1.2.3" || b.Go != runtime.Version() || b.OS != runtime.GOOS || b.Arch != runtime.GOARCH {
		t.Errorf("%+v", b)
	}
}
