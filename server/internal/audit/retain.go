package audit

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// fileSize is the size at which a file is followed by a new one.
func (l *Log) fileSize() int64 { return min(max(l.cfg.Size/maxFiles, minFile), maxFile) }

// roll begins a new file, and removes the old ones that are too many or too old. It returns the line that says so, to be
// written first. The caller has the turn.
func (l *Log) roll() (bodies [][]byte, err error) {
	names, err := files(l.cfg.Dir)
	if err != nil {
		return nil, err
	}
	var total int64
	infos := make([]fs.FileInfo, len(names))
	for i, n := range names {
		if infos[i], err = os.Stat(n); err != nil {
			return nil, err
		}
		total += infos[i].Size()
	}
	if err := l.begin(); err != nil {
		return nil, err
	}
	var old []string
	for i, n := range names {
		if total+l.fileSize() <= l.cfg.Size && (l.cfg.Age <= 0 || time.Since(infos[i].ModTime()) <= l.cfg.Age) {
			break
		}
		old = append(old, n)
		total -= infos[i].Size()
	}
	if len(old) == 0 {
		return nil, nil
	}
	next, err := firstSeq(append(names, l.file.Name())[len(old)])
	if err != nil {
		return nil, err
	}
	for _, n := range old {
		if err := os.Remove(n); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	e := Entry{Event: "audit.removed", Actor: "server", Detail: map[string]any{"up_to": next - 1}}
	body, err := e.body()
	return [][]byte{body}, err
}

// Tidy writes what waits, and begins a new file when the day is over, so that what is too old goes.
func (l *Log) Tidy() error {
	if err := l.Flush(); err != nil {
		return err
	}
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.file == nil || l.size == 0 || time.Since(l.born) < fileAge {
		return nil
	}
	return l.write(nil)
}
