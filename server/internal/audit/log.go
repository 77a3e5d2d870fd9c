package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// Config is what a log can be told. Dir is needed.
type Config struct {
	Dir string

	// Size is how many bytes all files of the log may have together, about; the oldest are removed. By default, 1 GB.
	Size int64

	// Age is how long lines are kept. By default, as long as Size allows.
	Age time.Duration
}

const (
	// maxFiles is into about how many files a log that is full is divided.
	maxFiles = 32

	// minFile and maxFile bound the size at which a file is followed by a new one, in bytes.
	minFile = 16 << 10
	maxFile = 16 << 20

	// maxNotes is how many lines may wait for the next flush.
	maxNotes = 1000

	// fileAge is when a file is followed by a new one at the latest, so that Age can be kept to.
	fileAge = 24 * time.Hour

	fileSuffix = ".jsonl"
)

// ErrClosed means that the log was closed.
var ErrClosed = errors.New("the audit log is closed")

// Log is a log that is written. Its methods may be called by any number of goroutines at once.
type Log struct {
	cfg Config

	mu    sync.Mutex // guards the field below
	batch *batch     // what the next flush takes

	turn   chan struct{} // its holder writes, and has the fields below
	file   *os.File      // nil before the first line, and after an error until it could be opened again
	size   int64         // of the file, up to the last line that is on the disk
	born   time.Time     // when the file was begun
	seq    uint64        // of the last line
	hash   string        // of the last line
	closed bool
	found  bool  // the end of the log is known
	cut    int64 // bytes of a line that a crash has left at the end, until it is written that they are gone
}

// batch is what is written with one flush.
type batch struct {
	bodies [][]byte
	done   chan struct{} // closed once err is set
	err    error
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

// Open opens a log, and makes it if it is missing. Its files are first read and changed when something is written, which
// only one process may do; what a crash has cut is removed then, which is a line.
func Open(cfg Config) (*Log, error) {
	if cfg.Size <= 0 {
		cfg.Size = 1_000_000_000
	}
	l := &Log{cfg: cfg, batch: newBatch(), turn: make(chan struct{}, 1)}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return l, nil
}

// repaired returns the line about what a crash has cut, if it has.
func (l *Log) repaired() (bodies [][]byte, err error) {
	if l.cut == 0 {
		return nil, nil
	}
	e := Entry{Event: "audit.repaired", Actor: "server", Detail: map[string]any{"cut_bytes": l.cut}}
	body, err := e.body()
	return [][]byte{body}, err
}

// learnEnd finds the end of a log that was just opened. The caller has the turn.
func (l *Log) learnEnd() (err error) {
	if l.found {
		return nil
	}
	l.cut, err = l.findEnd()
	l.found = err == nil
	return err
}

// findEnd finds the end of the log. It returns how many bytes a crash has left of a line, which are cut off before the
// next one is written.
func (l *Log) findEnd() (cut int64, err error) {
	names, err := files(l.cfg.Dir)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	last := names[len(names)-1]
	text, err := os.ReadFile(last)
	if err != nil {
		return 0, err
	}
	// What a loss of power has left may end in whole lines that are none: blocks of the disk that were never written.
	whole, e := lastLine(text)
	l.size, l.born = int64(whole), time.Now()
	if whole == 0 { // begun, and nothing was written: the end is in the file before
		l.seq, l.hash, err = endBefore(names[:len(names)-1], last)
		return int64(len(text)), err
	}
	l.seq, l.hash = e.Seq, e.Hash
	if first, err := parseLine(text[:bytes.IndexByte(text, '\n')]); err == nil {
		l.born = first.Time
	}
	return int64(len(text) - whole), nil
}

// lastLine returns the last line of a text that can be read, and where it ends, 0 for none. One that somebody has changed is one:
// Verify finds who did, and the chain goes on.
func lastLine(text []byte) (end int, e Entry) {
	for end = bytes.LastIndexByte(text, '\n') + 1; end > 0; {
		begin := bytes.LastIndexByte(text[:end-1], '\n') + 1
		e, err := parseLine(text[begin : end-1])
		if err == nil || errors.Is(err, errHash) {
			return end, e
		}
		end = begin
	}
	return 0, Entry{}
}

// endBefore returns the last line of the files before an empty one.
func endBefore(names []string, empty string) (seq uint64, hash string, err error) {
	if len(names) == 0 {
		first, err := firstSeq(empty)
		return max(first, 1) - 1, "", err
	}
	text, err := os.ReadFile(names[len(names)-1])
	if err != nil {
		return 0, "", err
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	e, err := parseLine(text[bytes.LastIndexByte(text, '\n')+1:])
	if errors.Is(err, errHash) {
		err = nil
	}
	return e.Seq, e.Hash, err
}

// begin begins a new file after the last line.
func (l *Log) begin() error {
	if err := os.MkdirAll(l.cfg.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(l.cfg.Dir, fmt.Sprintf("%020d%s", l.seq+1, fileSuffix)), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if l.file != nil {
		l.file.Close() // everything in it was flushed
	}
	l.file, l.size, l.born = f, 0, time.Now()
	return secretfile.SyncFolder(l.cfg.Dir)
}

// Append writes a line, and returns when it is on the disk. It fills in Seq, Prev, Hash, and Time if that is zero.
func (l *Log) Append(e Entry) error {
	b, err := l.add(e)
	if err != nil {
		return err
	}
	return l.flush(b)
}

// Put is Append for who has something to do meanwhile: flush returns when the line is on the disk, and says the same each time.
// Before it is called, the line goes there with the next flush of others.
func (l *Log) Put(e Entry) (flush func() error, err error) {
	b, err := l.add(e)
	if err != nil {
		return nil, err
	}
	return func() error { return l.flush(b) }, nil
}

// Note writes a line with the next flush: that of an Append or of [Log.Flush]. A crash may lose it.
func (l *Log) Note(e Entry) error {
	b, err := l.add(e)
	if err != nil {
		return err
	}
	l.mu.Lock()
	full := len(b.bodies) >= maxNotes
	l.mu.Unlock()
	if full {
		return l.flush(b)
	}
	return nil
}

// Flush writes what [Log.Note] has left.
func (l *Log) Flush() error {
	l.mu.Lock()
	b := l.batch
	empty := len(b.bodies) == 0
	l.mu.Unlock()
	if empty {
		return nil
	}
	return l.flush(b)
}

func (l *Log) add(e Entry) (*batch, error) {
	body, err := e.body()
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.batch
	b.bodies = append(b.bodies, body)
	return b, nil
}

// flush has a batch written: by the caller if it is its turn, else by whoever is faster.
func (l *Log) flush(b *batch) error {
	select {
	case <-b.done:
		return b.err
	case l.turn <- struct{}{}:
	}
	defer func() { <-l.turn }()
	select {
	case <-b.done:
		return b.err
	default: // then it is l.batch, which only the holder of the turn replaces
	}
	l.mu.Lock()
	l.batch = newBatch()
	l.mu.Unlock()
	if err := l.write(b.bodies); err != nil {
		b.err = fmt.Errorf("audit log: %w", err)
	}
	close(b.done)
	return b.err
}

// write writes lines and flushes them. If that fails there is none of them: what the disk has taken is cut off again,
// now or before the next lines. The caller has the turn.
func (l *Log) write(bodies [][]byte) error {
	if l.closed {
		return ErrClosed
	}
	if l.file == nil {
		if err := l.reopen(); err != nil {
			return err
		}
	}
	repaired, err := l.repaired()
	if err != nil {
		return err
	}
	bodies = slices.Concat(repaired, bodies)
	if l.size >= l.fileSize() || l.size > 0 && time.Since(l.born) >= fileAge {
		removed, err := l.roll()
		if err != nil {
			return err
		}
		bodies = slices.Concat(removed, bodies)
	}
	var text []byte
	seq, hash := l.seq, l.hash
	for _, body := range bodies {
		seq++
		text, hash = appendLine(text, seq, body, hash)
	}
	_, err = l.file.WriteAt(text, l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		err = errors.Join(err, l.file.Close())
		l.file = nil // what a failed flush has left is known only after a new start
		return err
	}
	l.size, l.seq, l.hash, l.cut = l.size+int64(len(text)), seq, hash, 0
	return nil
}

// reopen opens the last file, and cuts off what nobody was told is there.
func (l *Log) reopen() error {
	if err := l.learnEnd(); err != nil {
		return err
	}
	names, err := files(l.cfg.Dir)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return l.begin()
	}
	f, err := os.OpenFile(names[len(names)-1], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(l.size), f.Sync()); err != nil {
		return errors.Join(err, f.Close())
	}
	l.file = f
	return nil
}

// Close writes what waits and closes the log. It may be called twice.
func (l *Log) Close() error {
	l.turn <- struct{}{}
	closed := l.closed
	<-l.turn
	if closed {
		return nil
	}
	err := l.Flush()
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	l.closed = true
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
		l.file = nil
	}
	return err
}

// files returns the files of a log, the oldest first.
func files(dir string) ([]string, error) {
	names, err := secretfile.Names(dir, "", fileSuffix)
	return slices.DeleteFunc(names, func(n string) bool { _, err := firstSeq(n); return err != nil }), err
}

// firstSeq is the number in the name of a file.
func firstSeq(name string) (uint64, error) {
	base := filepath.Base(name)
	return strconv.ParseUint(base[:len(base)-len(fileSuffix)], 10, 64)
}
