//go:build unix

package secretfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// othersMayRead are the bits that a file with a secret must not have.
const othersMayRead fs.FileMode = 0o077

// SyncFolder makes the names in a folder last, if its file system can.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// CheckFolder says what is wrong with a folder of secrets: whoever may write there can put another one in the place of what is in it.
// One that is not there yet is good.
func CheckFolder(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().Perm()&0o002 != 0 {
		err = fmt.Errorf("everybody may write to %s (mode %04o): run \"chmod o-w %s\", and look at what is there", dir, info.Mode().Perm(), dir)
	}
	return err
}

// another returns who owns a file, if this process is root's and the file is not: what root makes beside it shall be that user's
// as well, or whoever runs as him could not read it.
func another(file string) (uid, gid int, ok bool) {
	info, err := os.Stat(file)
	if err != nil || os.Geteuid() != 0 {
		return 0, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}

// ownAs gives a new file to who owns another one.
func ownAs(f *os.File, other string) error {
	if uid, gid, ok := another(other); ok {
		return f.Chown(uid, gid)
	}
	return nil
}

// MakeFolder makes a folder with mode 0700, and those above it, unless they are there. If root makes one, it belongs to who owns
// other, a file or a folder; "" stands for the folder above.
func MakeFolder(dir, other string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MakeFolder(parent, other); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, 0o700)
	if err != nil {
		if info, e := os.Stat(dir); errors.Is(err, fs.ErrExist) && e == nil && info.IsDir() {
			return nil // somebody else was faster
		}
		return err
	}
	if other == "" {
		other = parent
	}
	if uid, gid, ok := another(other); ok {
		return os.Lchown(dir, uid, gid)
	}
	return nil
}
