package lint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest"
)

// stdinName is the name of the standard input in reports.
const stdinName = "<stdin>"

// input is a file to check.
type input struct {
	name  string // in reports, with slashes
	path  string // to open; empty for the standard input
	stdin bool
}

// inputs finds the files that the arguments name. The error joins one for each argument that cannot be read.
func inputs(args []string) ([]input, error) {
	if len(args) == 0 {
		args = []string{DefaultManifest}
	}
	var all []input
	var errs []error
	for _, arg := range args {
		if arg == "-" {
			all = append(all, input{name: stdinName, stdin: true})
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			errs = append(errs, err)
			continue
		case !info.IsDir():
			all = append(all, fileInput(arg))
			continue
		}
		files, err := manifestsIn(arg)
		if err != nil {
			errs = append(errs, err)
		}
		all = append(all, files...)
	}
	seen := make(map[string]bool)
	all = slices.DeleteFunc(all, func(in input) bool {
		again := seen[in.name]
		seen[in.name] = true
		return again
	})
	return all, errors.Join(errs...)
}

func fileInput(path string) input {
	return input{name: filepath.ToSlash(filepath.Clean(path)), path: path}
}

// manifestsIn finds every manifest.yaml below a folder; where there is none, every YAML file in it.
func manifestsIn(folder string) ([]input, error) {
	var named, others []input
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != folder && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "vendor") {
				return fs.SkipDir
			}
			return nil
		}
		switch ext := strings.ToLower(filepath.Ext(path)); {
		case ext != ".yaml" && ext != ".yml":
		case strings.EqualFold(strings.TrimSuffix(d.Name(), filepath.Ext(path)), "manifest"):
			named = append(named, fileInput(path))
		case filepath.Dir(path) == filepath.Clean(folder):
			others = append(others, fileInput(path))
		}
		return nil
	})
	switch {
	case err != nil:
		return named, err
	case len(named) > 0:
		return named, nil
	case len(others) > 0:
		return others, nil
	}
	return nil, fmt.Errorf("%s: there is no manifest.yaml", folder)
}

// read reads a file, a little more of it than a manifest may have.
func (c Command) read(in input) ([]byte, error) {
	if in.stdin {
		if c.Stdin == nil {
			return nil, fmt.Errorf("%s: there is no standard input", in.name)
		}
		return readSome(c.Stdin)
	}
	f, err := os.Open(in.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readSome(f)
}

func readSome(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, manifest.MaxBytes+1)) }
