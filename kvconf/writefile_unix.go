//go:build unix

package kvconf

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// keepAttributes gives f the owner, the group, the mode and the extended attributes of the file name, which it is to replace.
func keepAttributes(f *os.File, name string, old fs.FileInfo) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	was, is := old.Sys().(*syscall.Stat_t), mine.Sys().(*syscall.Stat_t)
	if was.Uid != is.Uid || was.Gid != is.Gid {
		if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return err
		}
	}
	if err := f.Chmod(old.Mode()); err != nil {
		return err
	}
	return keepExtended(f.Name(), name)
}

// replaceFile puts the file from in the place of the file to.
func replaceFile(from, to string) error { return os.Rename(from, to) }

// syncFolder makes the names of a folder last.
func syncFolder(name string) error {
	dir, err := os.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil // it may be searched but not read: then the file system decides when the name lasts
	}
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a file system that has nothing to flush
	}
	return errors.Join(err, dir.Close())
}
