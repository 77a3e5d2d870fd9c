package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Find returns where a program is that a command names: in the folders of path, separated as in PATH, or relative to dir if its
// name has a slash. An error wraps ErrNotFound or ErrNotExecutable.
func Find(name, dir, path string) (string, error) {
	if name == "" {
		return "", why(name, ErrNotFound)
	}
	if strings.ContainsRune(name, '/') || onWindows && strings.ContainsAny(name, `\:`) {
		if !filepath.IsAbs(name) && dir != "" {
			name = filepath.Join(dir, name)
		}
		file, err := executable(name)
		if err != nil {
			return "", why(name, err)
		}
		return filepath.Abs(file)
	}
	found := error(ErrNotFound)
	for _, folder := range filepath.SplitList(path) {
		if folder == "" || !filepath.IsAbs(folder) {
			continue // what the working directory has is not what was meant
		}
		file, err := executable(filepath.Join(folder, name))
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrNotFound) {
			found = err
		}
	}
	return "", why(name, found)
}

// why says what is wrong with a program.
func why(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %.200q", ErrNotFound, name)
	case errors.Is(err, errIsFolder):
		return fmt.Errorf("%w: %.200q is a folder", ErrNotExecutable, name)
	}
	return fmt.Errorf("%w: %.200q: %w", ErrNotExecutable, name, err)
}

var errIsFolder = errors.New("is a folder")

// pathOf returns the PATH among variables, the last one.
func pathOf(env []string) string {
	path := os.Getenv("PATH")
	for _, v := range env {
		if key, value, _ := strings.Cut(v, "="); key == "PATH" || onWindows && strings.EqualFold(key, "PATH") {
			path = value
		}
	}
	return path
}
