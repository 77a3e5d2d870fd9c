package form_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// A disk that is full is not the caller's fault, and when there is room again files are taken, however many were refused meanwhile.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("SKIP: a file system cannot be mounted here: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	s := form.NewStore(func() (string, error) { return dir, nil }, 8<<20)
	kind, body := multi(t, strings.Repeat("x", 3<<20), "")
	for range 20 {
		var answer *rest.Error
		if _, err := read(t, s, kind, bytes.NewReader(body)); !errors.As(err, &answer) || answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Msg, "no space left") {
			t.Fatalf("a full disk: %v", err)
		}
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	f, err := read(t, s, kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
