//go:build unix

package logging

import (
	"errors"
	"io/fs"
	"os"
)

// renameChecked renames a file, unless it sees one of the new name. One that somebody makes at that moment is lost.
func renameChecked(from, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return os.Rename(from, to)
}
