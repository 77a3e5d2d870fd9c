package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Program is a folder with a main.go and a conf folder.
type Program struct {
	Name string // of the folder, and of the binary
	Dir  string // path of the folder
}

// Programs finds the programs below root, sorted by name. Folders whose names begin with a dot or an underscore, testdata
// and vendored modules are not looked into.
func Programs(root string) ([]Program, error) {
	var found []Program
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name := d.Name()
		if path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor") {
			return fs.SkipDir
		}
		if !isFile(filepath.Join(path, "main.go")) || !isDir(filepath.Join(path, "conf")) {
			return nil
		}
		dir, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		found = append(found, Program{Name: filepath.Base(dir), Dir: dir})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find programs: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("find programs: no folder below %s has a main.go and a conf folder", root)
	}
	slices.SortFunc(found, func(a, b Program) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(found); i++ {
		if found[i].Name == found[i-1].Name {
			return nil, fmt.Errorf("find programs: %s and %s would have the same archives", found[i-1].Dir, found[i].Dir)
		}
	}
	return found, nil
}

// choose keeps the programs named in a list such as "example-agent,agent-server". The empty list keeps all.
func choose(programs []Program, list string) ([]Program, error) {
	if list == "" {
		return programs, nil
	}
	var chosen []Program
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(programs, func(p Program) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("program %q: there is none of this name", name)
		}
		chosen = append(chosen, programs[i])
	}
	return chosen, nil
}

// manifest returns the path of the program's descriptor, which only agents have.
func (p Program) manifest() (path string, ok bool) {
	path = filepath.Join(p.Dir, "conf", "manifest.yaml")
	return path, isFile(path)
}

// files lists what an archive of the program holds beside the binary: the conf folder, the program's own README when it has
// one, and the licence and the changelog of the project.
func (p Program) files(root string) ([]entry, error) {
	var all []entry
	conf := filepath.Join(p.Dir, "conf")
	err := filepath.WalkDir(conf, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s: not a regular file", path)
		}
		rel, err := filepath.Rel(p.Dir, path)
		if err != nil {
			return err
		}
		all = append(all, entry{name: filepath.ToSlash(rel), path: path})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, path := range []string{filepath.Join(p.Dir, "README.md"), filepath.Join(root, "LICENSE"), filepath.Join(root, "CHANGELOG.md")} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		all = append(all, entry{name: filepath.Base(path), path: path})
	}
	return all, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
