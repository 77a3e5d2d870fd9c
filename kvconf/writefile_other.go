//go:build !unix && !windows

package kvconf

import (
	"io/fs"
	"os"
)

// keepAttributes gives f the mode of the file that it is to replace.
func keepAttributes(f *os.File, _ string, old fs.FileInfo) error { return f.Chmod(old.Mode()) }

// replaceFile puts the file from in the place of the file to.
func replaceFile(from, to string) error { return os.Rename(from, to) }

// syncFolder does nothing, since a folder cannot be flushed.
func syncFolder(string) error { return nil }
