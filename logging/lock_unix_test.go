//go:build unix && !aix && !solaris

package logging_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"
)

// While another process gives the files of the same log other names, none is replaced by its compressed form: the name may be that of
// another file by then. A process that was stopped while it did that stops nothing but compression.
func TestFolderIsLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Size, cfg.Compress, cfg.Rotate = 100, true, 3
		l := open(t, cfg)
		other, err := os.Open(cfg.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if err := unix.Flock(int(other.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		pad := strings.Repeat("-", 70)
		for _, m := range []string{"a", "b", "c", "d", "e"} {
			l.Logger().Info(m + pad)
			compressed()
		}
		equal(t, "files", names(t, l), []string{"agent.log", "agent.log.1", "agent.log.2", "agent.log.3"})
		if err := unix.Flock(int(other.Fd()), unix.LOCK_UN); err != nil {
			t.Fatal(err)
		}
		l.Logger().Info("f" + pad)
		compressed()
		equal(t, "files", names(t, l), []string{"agent.log", "agent.log.1.gz", "agent.log.2.gz", "agent.log.3.gz"})
		equal(t, "the oldest", messages(t, filepath.Join(cfg.Dir, "agent.log.3.gz")), []string{"c" + pad})
		if err := l.Err(); err != nil {
			t.Error(err)
		}
	})
}
