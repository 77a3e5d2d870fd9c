package logging

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames a file, unless there is one of the new name.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		return renameChecked(from, to) // a kernel before 3.15, or a file system that cannot
	}
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}
