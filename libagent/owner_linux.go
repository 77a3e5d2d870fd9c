package libagent

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// asOwner works on a folder as who owns a file, if this process is root's and the file is not. The agent runs as that user, who
// must be able to read what is made; and he may write there, so that root itself could be led elsewhere by his links. A folder that
// is missing is made for him.
func asOwner(file, folder string, work func() error) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || st.Uid == 0 {
		return work()
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	switch err := os.Mkdir(folder, 0o700); {
	case err == nil:
		err = os.Lchown(folder, int(st.Uid), int(st.Gid))
		if err != nil {
			return err
		}
	case !errors.Is(err, os.ErrExist):
		return err
	}
	done := make(chan error)
	go func() { // ends with work, and its thread with it
		runtime.LockOSThread()
		err := errors.Join(unix.Setfsgid(int(st.Gid)), unix.Setfsuid(int(st.Uid)))
		if err == nil {
			err = work()
		}
		done <- err
	}()
	return <-done
}
