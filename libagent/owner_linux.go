package libagent

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// AsOwner does work on files with the rights of who owns a file, such as the config file, or the folder in which it is missing, if
// this process is root's and that is not: the agent runs as that user, who must be able to read what is made; and he may write
// there, so that root itself could be led elsewhere by his links. It is work alone on systems other than Linux, where a goroutine
// cannot take somebody's rights.
func AsOwner(file string, work func() error) error {
	st, err := foreign(file)
	if err != nil {
		return err
	}
	if st == nil {
		return work()
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

// inFolderOf is AsOwner for work in a folder, which is made for that user when it is missing.
func inFolderOf(file, folder string, work func() error) error {
	st, err := foreign(file)
	if err != nil {
		return err
	}
	if st == nil {
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
	return AsOwner(file, work)
}

// foreign says who owns a file, or the folder in which it is missing, if this process is root's and that is not; else it is nil.
func foreign(file string) (*syscall.Stat_t, error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(file))
	}
	if err != nil {
		return nil, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 && st.Uid != 0 {
		return st, nil
	}
	return nil, nil
}
