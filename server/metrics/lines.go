package metrics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// Lines is a sink that appends each report to a file, as a line of JSON. What it has taken is on the disk. After a crash some lines
// may be there twice: they have the same id.
type Lines struct {
	file   string
	size   int64 // bytes at which the file is rotated
	rotate int   // how many rotated files are kept
}

var _ server.Sink = (*Lines)(nil)

// NewLines returns a sink for a file, which is made with mode 0600 when there is something for it, as its folder is with 0700. One of
// size bytes is renamed to FILE.1, that to FILE.2, and so on; rotate of them are kept.
func NewLines(file string, size int64, rotate int) *Lines { return &Lines{file, size, rotate} }

// line is a report in the file.
type line struct {
	ID      string          `json:"id"`
	Agent   string          `json:"agent"`
	At      time.Time       `json:"at"`
	Type    wire.Type       `json:"type,omitempty"`
	Report  json.RawMessage `json:"report,omitempty"`  // the frame as the agent has sent it
	Missing uint64          `json:"missing,omitempty"` // so many messages of the agent will not come
	Why     string          `json:"why,omitempty"`
}

// Take implements [server.Sink]. Either all lines get to the disk, or it fails and they come again.
func (l *Lines) Take(_ context.Context, entries []server.Entry) (err error) {
	var text bytes.Buffer
	for _, e := range entries {
		b, err := json.Marshal(line{e.ID, e.Agent, e.At, e.Type, e.Frame, e.Missing, e.Why}) // which makes a frame of several lines one
		if err != nil {
			return fmt.Errorf("entry %s: %w", e.ID, err)
		}
		text.Write(append(b, '\n'))
	}
	f, begin, err := l.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text.Bytes()); err != nil {
		return errors.Join(err, f.Truncate(begin)) // half a line would spoil the next one
	}
	return f.Sync()
}

// open opens the file behind its last whole line, a new one if it is large enough.
func (l *Lines) open() (f *os.File, size int64, err error) {
	if err := os.MkdirAll(filepath.Dir(l.file), 0o700); err != nil {
		return nil, 0, err
	}
	switch info, err := os.Stat(l.file); {
	case err != nil: // there is none yet
	case !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("%q is no file", l.file)
	case info.Size() >= l.size:
		if err := l.rotateFiles(); err != nil {
			return nil, 0, err
		}
	}
	f, err = os.OpenFile(l.file, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	size, err = wholeLines(f)
	if err == nil {
		err = f.Truncate(size) // what a crash has left of a line
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, size, nil
}

// wholeLines returns where the last line feed of a file is, which is nearly always its end.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	b := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		begin := max(end-int64(len(b)), 0)
		n, err := f.ReadAt(b[:end-begin], begin)
		if err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(b[:n], '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		end = begin
	}
	return 0, nil
}

// rotateFiles renames the file, and those that were rotated before.
func (l *Lines) rotateFiles() error {
	if l.rotate == 0 {
		return os.Remove(l.file)
	}
	name := func(n int) string {
		if n == 0 {
			return l.file
		}
		return l.file + "." + strconv.Itoa(n)
	}
	for n := l.rotate - 1; n >= 0; n-- {
		if err := os.Rename(name(n), name(n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
