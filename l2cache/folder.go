package l2cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Modes of what is made.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

const lockName = "lock"

// folder is a folder that this process alone uses. Everything in it goes through an os.Root: no link leads out of it. All methods
// but close are safe for concurrent use.
type folder struct {
	path string

	mu   sync.Mutex // guards what follows
	root *os.Root
	lock *os.File
}

// openFolder makes a folder if need be and takes it.
func openFolder(path string) (*folder, error) {
	path, err := filepath.Abs(path) // the working directory may change
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, dirMode); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	lock, err := lockRoot(root)
	if err != nil {
		root.Close()
		return nil, wrap("lock", filepath.Join(path, lockName), err)
	}
	return &folder{path: path, root: root, lock: lock}, nil
}

// lockRoot locks a folder and keeps others out of it. What is read-only can be read all the same.
func lockRoot(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		var again error
		if f, again = root.Open(lockName); again != nil {
			return nil, err
		}
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	if st, err := root.Stat("."); err == nil && st.Mode().Perm()&^dirMode != 0 {
		_ = root.Chmod(".", dirMode) // the files have modes of their own
	}
	return f, nil
}

// at is the root of now: a folder that is renewed has another one.
func (d *folder) at() *os.Root {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.root
}

func (d *folder) close() {
	d.lock.Close()
	d.root.Close()
}

// name is the path of a file, for people.
func (d *folder) name(file string) string { return filepath.Join(d.path, file) }

// create makes an empty file.
func (d *folder) create(name string) (*os.File, error) {
	f, err := d.at().OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	return f, d.explain(err)
}

// open opens a file to read it and, if that is possible, to write.
func (d *folder) open(name string) (*os.File, error) {
	f, err := d.at().OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		f, err = d.at().Open(name)
	}
	return f, d.explain(err)
}

// remove removes a file; one that is not there is removed.
func (d *folder) remove(name string) error {
	if err := d.at().Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return d.explain(err)
	}
	return nil
}

// explain puts the whole path into an error.
func (d *folder) explain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) && !filepath.IsAbs(path.Path) {
		return &fs.PathError{Op: path.Op, Path: d.name(path.Path), Err: path.Err}
	}
	return err
}

// sync makes the names in the folder durable.
func (d *folder) sync() error {
	f, err := d.at().Open(".")
	if err != nil {
		return d.explain(err)
	}
	defer f.Close()
	if err := syncDir(f); err != nil {
		return &fs.PathError{Op: "sync", Path: d.path, Err: err}
	}
	return nil
}

// gone tells whether the folder was removed, or another one is in its place.
func (d *folder) gone() bool {
	there, err := os.Stat(d.path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	ours, err := d.at().Stat(".")
	return err != nil || !os.SameFile(there, ours)
}

// renew makes a folder that was removed anew, and takes it.
func (d *folder) renew() error {
	fresh, err := openFolder(d.path)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.root.Close()
	d.lock.Close()
	d.root, d.lock = fresh.root, fresh.lock
	return nil
}

// list returns the names of the files in the folder.
func (d *folder) list() ([]string, error) {
	f, err := d.at().Open(".")
	if err != nil {
		return nil, d.explain(err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return names, d.explain(err)
}
