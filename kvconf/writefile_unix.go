//go:build unix

package kvconf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// keepAttributes gives f the owner, the group and the mode of the file that it is to replace.
func keepAttributes(f *os.File, _ string, old fs.FileInfo) error {
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
	return f.Chmod(old.Mode())
}

// replaceFile puts the file from in the place of the file to, and makes that last.
func replaceFile(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return nil // the folder may be searched but not read; then the file system decides when the step lasts
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
