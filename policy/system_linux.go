package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// trusted says why a file cannot be relied upon: only root and the agent's own user may be able to change it. That user is the one whose
// rights count for files, since root may look in his place.
func trusted(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may write to it (mode %v)", info.Mode().Perm())
	}
	user, err := unix.SetfsuidRetUid(-1) // changes nothing
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != user {
		return fmt.Errorf("it belongs to user %d, want root or the agent's own user", st.Uid)
	}
	return nil
}

// letRead lets the group of a file's folder read the file, if root has made it and the folder is another user's.
func letRead(f *os.File) error {
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || st.Uid == 0 {
		return nil
	}
	return errors.Join(f.Chown(-1, int(st.Gid)), f.Chmod(0o640))
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), mod: info.ModTime(), mode: info.Mode()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.entry = [4]int64{int64(st.Ino), int64(st.Uid), int64(st.Ctim.Sec), int64(st.Ctim.Nsec)}
	}
	return s
}

// bare is the name of a program: extensions are a part of it.
func bare(name string) string { return name }

// matchName says whether a pattern takes the name of a program.
func matchName(pattern, name string) bool { return match(pattern, name) }

func sameName(a, b string) bool { return a == b }
