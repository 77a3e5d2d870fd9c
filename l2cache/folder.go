package l2cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Modes of what is made.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

const lockName = "lock"

// folder is a folder that this process alone uses. Everything in it goes through an os.Root: no link leads out of it.
type folder struct {
	path string
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
	d := &folder{path: path, root: root}
	if err := d.take(); err != nil {
		root.Close()
		return nil, err
	}
	return d, nil
}

// take locks the folder and keeps others out of it. What is read-only can be read all the same.
func (d *folder) take() error {
	f, err := d.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		var again error
		if f, again = d.root.Open(lockName); again != nil {
			return err
		}
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return wrap("lock", filepath.Join(d.path, lockName), err)
	}
	d.lock = f
	if st, err := d.root.Stat("."); err == nil && st.Mode().Perm()&^dirMode != 0 {
		_ = d.root.Chmod(".", dirMode) // the files have modes of their own
	}
	return nil
}

func (d *folder) close() {
	d.lock.Close()
	d.root.Close()
}

// name is the path of a file, for people.
func (d *folder) name(file string) string { return filepath.Join(d.path, file) }

// create makes an empty file.
func (d *folder) create(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	return f, d.explain(err)
}

// open opens a file to read it and, if that is possible, to write.
func (d *folder) open(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		f, err = d.root.Open(name)
	}
	return f, d.explain(err)
}

// remove removes a file; one that is not there is removed.
func (d *folder) remove(name string) error {
	if err := d.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
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
	f, err := d.root.Open(".")
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
	ours, err := d.root.Stat(".")
	return err != nil || !os.SameFile(there, ours)
}

// renew makes a folder that was removed anew, and takes it.
func (d *folder) renew() error {
	fresh, err := openFolder(d.path)
	if err != nil {
		return err
	}
	d.close()
	d.root, d.lock = fresh.root, fresh.lock
	return nil
}

// list returns the names of the files in the folder.
func (d *folder) list() ([]string, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, d.explain(err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return names, d.explain(err)
}
