package secretfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Read returns what is in a file of at most limit bytes that its owner alone may read or write.
func Read(file string, limit int) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", file)
	}
	if others := info.Mode().Perm() & othersMayRead; others != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): run \"chmod 600 %s\", and if somebody may have read it, remove it "+
			"to have a new one made", file, info.Mode().Perm(), file)
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", file, limit)
	}
	return b, nil
}

// Create makes a file with mode 0600, and its folder with mode 0700, and flushes both to the disk. It fails with
// fs.ErrExist if the file is there; of several that create it at once, one does. What root makes in a folder of another user is
// that user's.
func Create(file string, data []byte) error {
	dir := filepath.Dir(file)
	if err := MakeFolder(dir, ""); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(file)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = ownAs(f, dir)
	if err == nil {
		_, err = f.Write(data)
	}
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	// Unlike a rename, a link replaces nothing, but not every file system has them.
	if err = os.Link(f.Name(), file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return err
		}
		if _, e := os.Lstat(file); e == nil {
			return &fs.PathError{Op: "create", Path: file, Err: fs.ErrExist}
		}
		if err = os.Rename(f.Name(), file); err != nil {
			return err
		}
	}
	return SyncFolder(dir)
}

// Names returns the files in a folder whose names begin and end so, sorted, with the folder before them. A folder that is
// not there has none.
func Names(dir, begin, end string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, begin) && strings.HasSuffix(n, end) && !strings.HasPrefix(n, ".") {
			names = append(names, filepath.Join(dir, n))
		}
	}
	return names, nil
}
