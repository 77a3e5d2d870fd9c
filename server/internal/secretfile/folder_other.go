//go:build !unix

package secretfile

import (
	"io/fs"
	"os"
)

// othersMayRead is empty: who may read a file is not in its mode here.
const othersMayRead fs.FileMode = 0

// SyncFolder does nothing: a folder cannot be flushed here.
func SyncFolder(string) error { return nil }

// CheckFolder finds nothing wrong: who may write to a folder is not in its mode here.
func CheckFolder(string) error { return nil }

// ownAs does nothing: files have the access list of their folder here.
func ownAs(*os.File, string) error { return nil }

// MakeFolder makes a folder, and those above it, unless they are there.
func MakeFolder(dir, _ string) error { return os.MkdirAll(dir, 0o700) }
