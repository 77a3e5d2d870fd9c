package kvconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// newFileMode is the mode of a file that was not there: it may come to hold a password.
const newFileMode = 0o600

// WriteFile writes the text of the file to name, see the function WriteFile.
func (d *Document) WriteFile(name string) error { return WriteFile(name, d.Bytes()) }

// WriteFile writes data to the file name, so that a crash at any point leaves the old file or the new one, whole: it goes to a
// temporary file in the same folder, is flushed to the disk, and takes the place of name in one step. A symbolic link stays, and
// what it leads to is replaced. The mode, and on Unix the owner and group, stay; a new file has the mode 0600.
//
// A file that the process may not write, by its mode or its file system, is not replaced: the error then wraps
// fs.ErrPermission or the system's own, and the old file is as it was, as it is after any other error.
func WriteFile(name string, data []byte) error {
	if err := writeFile(name, data); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

func writeFile(name string, data []byte) (err error) {
	name, old, err := resolve(name)
	if err != nil {
		return err
	}
	dir, base := filepath.Split(name)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, "."+base+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if old == nil {
		err = f.Chmod(newFileMode)
	} else {
		err = keepAttributes(f, name, old)
	}
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return replaceFile(f.Name(), name)
}

// ignoreClosed gives err, unless it says that the file was closed before.
func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

// resolve follows the symbolic links of name, checks that what is there may be written, and gives what it is, or nil.
func resolve(name string) (string, fs.FileInfo, error) {
	target, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		if link, linkErr := os.Readlink(name); linkErr == nil {
			return "", nil, fmt.Errorf("it is a symbolic link to %q, which does not exist", link)
		}
		return name, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", nil, err
	}
	if !info.Mode().IsRegular() {
		return "", nil, fmt.Errorf("it is not a regular file but %s", info.Mode().Type())
	}
	f, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return "", nil, err
	}
	return target, info, f.Close()
}
