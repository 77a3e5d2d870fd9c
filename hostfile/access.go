package hostfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Access says what may be reached. Its zero value reaches nothing.
type Access struct {
	// Read and Write list folders, absolute; / is everything. Links in the way to such a folder are followed.
	Read, Write []string

	// Keep lists files that are never written, wherever they are. By default, none.
	Keep []string

	// Size is how large a file may be that is written, in bytes. By default, there is no bound.
	Size int64

	// SetID allows the mode bits setuid, setgid and sticky.
	SetID bool
}

// place is a path below a folder that is allowed. The root is to be closed.
type place struct {
	root *os.Root
	rel  string // "." for the folder itself
	path string // the whole of it
}

func (p *place) close() { _ = p.root.Close() }

// clean makes a path of what somebody has named.
func clean(path string) (string, error) {
	switch {
	case path == "":
		return "", fmt.Errorf("%w: it is empty", ErrInvalid)
	case strings.ContainsRune(path, 0):
		return "", fmt.Errorf("%w: %.200q has a zero byte", ErrInvalid, path)
	case !filepath.IsAbs(path):
		return "", fmt.Errorf("%w: %.200q is not absolute", ErrInvalid, path)
	}
	return filepath.Clean(path), nil
}

// locate finds the folder that a clean path is below, the longest one.
func locate(folders []string, path string) (*place, error) {
	best, rel := "", ""
	for _, folder := range folders {
		folder = filepath.Clean(folder)
		if r, err := filepath.Rel(folder, path); err == nil && filepath.IsLocal(r) && len(folder) > len(best) {
			best, rel = folder, r
		}
	}
	if best == "" {
		return nil, fmt.Errorf("%w: %.200q", ErrOutside, path)
	}
	root, err := os.OpenRoot(best)
	if err != nil {
		return nil, err
	}
	return &place{root: root, rel: rel, path: path}, nil
}

// within does something at a path below one of the folders. A link with an absolute target is one that the system takes for a way
// out: then it is resolved here, and done again at the place where it leads, if that is below a folder too.
func within[T any](folders []string, path string, do func(p *place) (T, error)) (T, error) {
	var none T
	path, err := clean(path)
	if err != nil {
		return none, err
	}
	p, err := locate(folders, path)
	if err != nil {
		return none, err
	}
	v, err := do(p)
	p.close()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	real, e := resolve(path)
	if e != nil || real == path {
		return v, err
	}
	if p, e = locate(resolved(folders), real); e != nil {
		return v, fmt.Errorf("%w: %.200q is behind a link", ErrOutside, path)
	}
	defer p.close()
	return do(p)
}

// resolve follows all links of a path of which the end need not be there.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) || filepath.Dir(path) == path {
		return real, err
	}
	if info, e := os.Lstat(path); e == nil && info.Mode()&fs.ModeSymlink != 0 {
		return "", err // a link that leads nowhere
	}
	parent, err := resolve(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}

// resolved is where the folders themselves are.
func resolved(folders []string) []string {
	var all []string
	for _, folder := range folders {
		if real, err := filepath.EvalSymlinks(folder); err == nil {
			all = append(all, real)
		}
	}
	return all
}

// kind says in words what is not a file.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// named puts the whole path into an error, in place of the part below the folder.
func named(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return &fs.PathError{Op: strings.TrimSuffix(strings.TrimSuffix(pe.Op, "at"), "open"), Path: path, Err: pe.Err}
	}
	return err
}
