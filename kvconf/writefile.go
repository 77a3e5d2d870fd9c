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
// what it leads to is replaced. The mode, the owner and the group stay, on Linux with the extended attributes (access list, SELinux
// label), on Windows the access list; a new file has the mode 0600.
//
// A file that the process may not write, by its mode or its file system, is not replaced: the error then wraps
// fs.ErrPermission or the system's own. After any error but one of the last step, which makes the new name last, the old file is
// as it was. A crash may leave the temporary file, whose name is that of the file with a dot in front and .tmp at its end.
// A file that is a mount point of its own cannot be replaced.
func WriteFile(name string, data []byte) error {
	if err := writeFile(name, data); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

func writeFile(name string, data []byte) error {
	name, old, err := resolve(name)
	if err != nil {
		return err
	}
	temporary, err := writeBeside(name, old, data)
	if err != nil {
		return err
	}
	if err := replaceFile(temporary, name); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncFolder(filepath.Dir(name))
}

// writeBeside writes data to a new file in the folder of name, with the attributes of old, the file that is there, or nil.
func writeBeside(name string, old fs.FileInfo, data []byte) (temporary string, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp")
	if err != nil {
		return "", err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err := f.Write(data); err != nil {
		return "", err
	}
	if old == nil {
		err = f.Chmod(newFileMode)
	} else {
		err = keepAttributes(f, name, old)
	}
	if err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
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
