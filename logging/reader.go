package logging

import (
	"errors"
	"io/fs"
	"os"
)

// Reader looks at the files of a log that another process writes. It changes nothing in the folder.
type Reader struct {
	folder *folder
}

// NewReader returns a reader for the files of the log that cfg describes, whatever its targets are. The error of a wrong cfg is
// that of Open.
func NewReader(cfg Config) (*Reader, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	n := naming{cfg.Name, cfg.RotateBy == RotateByDate}
	return &Reader{newFolder(cfg, n, newFaults(cfg.Stderr))}, nil
}

// Files returns the files of the log, the newest first, none when the folder is missing.
func (r *Reader) Files() ([]File, error) {
	entries, err := r.folder.list()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files := make([]File, len(entries))
	for i, e := range entries {
		files[i] = File{r.folder.naming.format(e.part), e.info.Size(), e.info.ModTime()}
	}
	return files, nil
}

// OpenFile opens one of the log's files for reading, as [Log.OpenFile] does.
func (r *Reader) OpenFile(name string) (*os.File, error) { return r.folder.open(name) }
