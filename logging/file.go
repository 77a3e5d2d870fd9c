package logging

import (
	"bytes"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Operations on files, as they are named among the faults.
const (
	opFile   = "to its file"
	opRotate = "rotation"
)

// file is TargetFile: the file that lines are appended to, and what is done about it in the background.
type file struct {
	naming  naming
	limit   int64 // bytes of a file
	bufSize int
	flushAt time.Duration // how long a line may wait in the buffer
	faults  *faults
	gap     gapLine
	folder  *folder
	opened  time.Time     // zero of the clock
	changed chan struct{} // has room for one: there is work in the folder
	dirty   chan struct{} // has room for one: lines wait in the buffer

	mu        sync.Mutex // guards the fields below
	part      part       // what lines are written to now
	path      string     // of part
	from, to  int64      // the Unix times between which path is right, when daily
	f         *os.File   // nil while there is none that takes lines
	id        os.FileInfo
	torn      bool          // f ends in the middle of a line
	misplaced bool          // f is no longer the file of path, which cannot be opened
	size      int64         // bytes of f and of buf
	buf       []byte        // whole lines that wait
	check     time.Duration // when to look whether f is still the file of path, and to open it when there is none
	rotate    time.Duration // not before that a rotation is tried again
	failing   bool
	loss      loss
	rotations uint64
	closed    bool
}

func newFile(cfg Config, faults *faults, gap gapLine) *file {
	n := naming{cfg.Name, cfg.RotateBy == RotateByDate}
	f := &file{
		naming: n, limit: cfg.Size, bufSize: int(cfg.Buffer), flushAt: cfg.Flush, faults: faults, gap: gap,
		folder:  newFolder(cfg, n, faults),
		opened:  time.Now(),
		changed: make(chan struct{}, 1),
		dirty:   make(chan struct{}, 1),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.verify(0)
	notify(f.changed) // a run before this one may have left work
	return f
}

// notify sends on a channel with room for one, unless a message is there already.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// start starts the work in the background, until done is closed.
func (f *file) start(wg *sync.WaitGroup, done <-chan struct{}) {
	wg.Go(func() { f.folder.run(f.changed, done) })
	if f.folder.compress {
		wg.Go(func() { f.folder.runCompress(done) })
	}
	if f.bufSize > 0 {
		wg.Go(func() { f.runFlush(done) })
	}
}

// write writes a line, or puts it into the buffer when there is one and the line is not urgent.
func (f *file) write(line []byte, urgent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		f.loss.add(1, fs.ErrClosed)
		return
	}
	f.prepare(len(line))
	if len(f.buf)+len(line) > f.bufSize {
		f.drain()
	}
	switch {
	case len(f.buf)+len(line) <= f.bufSize:
		f.hold(line)
		if urgent {
			f.drain()
		}
	case len(f.buf) > 0: // the buffer is full and cannot be written
		f.loss.add(1, f.loss.cause)
	default:
		n := f.put(line)
		f.size += int64(n)
		if n == 0 {
			f.loss.add(1, f.loss.cause)
		}
	}
}

// hold puts a line into the buffer.
func (f *file) hold(line []byte) {
	if len(f.buf) == 0 {
		notify(f.dirty)
	}
	f.buf = append(f.buf, line...)
	f.size += int64(len(line))
}

// prepare makes f ready to take n more bytes, as far as it can.
func (f *file) prepare(n int) {
	now := time.Since(f.opened)
	if now >= f.check || f.naming.daily && f.anotherDay() {
		f.verify(now)
	}
	if f.f != nil && f.size > 0 && f.size+int64(n) > f.limit {
		f.drain()
		f.turn()
	}
}

// put writes whole lines, and before them the one that says that lines are missing. It returns how many bytes of whole
// lines are written now.
func (f *file) put(lines []byte) int {
	if f.f != nil && f.loss.gap > 0 {
		gap := f.gap(f.loss.gap, f.loss.since, f.loss.cause)
		n := f.append(gap)
		f.size += int64(n)
		if n == len(gap) {
			f.loss.gap = 0
		}
	}
	if f.f == nil {
		return 0
	}
	return f.append(lines)
}

// append writes whole lines with one call. When it fails, no half line stays in the file, and f is closed, to be opened
// again after a while. It returns how many bytes of whole lines are written.
func (f *file) append(lines []byte) int {
	if f.torn {
		if _, err := f.f.Write([]byte{'\n'}); err != nil {
			f.broke(err)
			return 0
		}
		f.torn = false
		f.size++
	}
	n, err := f.f.Write(lines)
	if err == nil {
		if f.failing && !f.misplaced {
			f.failing = false
			f.faults.works(opFile)
		}
		return n
	}
	whole := bytes.LastIndexByte(lines[:n], '\n') + 1
	if n > whole {
		f.cut(int64(n - whole))
	}
	f.broke(err)
	return whole
}

// cut removes the last n bytes of f, the beginning of a line that has no room, unless somebody else has written since.
// When they cannot be removed, the next line begins on a line of its own, since openLog looks at the end of the file.
func (f *file) cut(n int64) {
	st, err := f.f.Stat()
	if err != nil {
		return
	}
	tail := make([]byte, 1)
	if _, err := f.f.ReadAt(tail, st.Size()-1); err == nil && tail[0] != '\n' {
		f.f.Truncate(st.Size() - n)
	}
}

// broke closes a file that does not take lines.
func (f *file) broke(err error) {
	f.f.Close()
	f.f = nil
	f.check = time.Since(f.opened) + probe
	f.fail(err)
}

// fail keeps an error that stops lines from getting to their place.
func (f *file) fail(err error) {
	f.failing = true
	f.loss.cause = err
	f.faults.failed(opFile, err)
}

// drain writes the buffer, as far as f takes it.
func (f *file) drain() {
	for f.f != nil && len(f.buf) > 0 {
		n := f.fitting()
		if n == 0 {
			if f.turn() {
				continue
			}
			n = len(f.buf) // better too long a file than no line
		}
		written := f.put(f.buf[:n])
		f.buf = f.buf[:copy(f.buf, f.buf[written:])]
		if written < n {
			return
		}
	}
}

// fitting is how many bytes of whole lines of the buffer fit into the file: at least one line into an empty file.
func (f *file) fitting() int {
	used := f.size - int64(len(f.buf))
	if f.size <= f.limit {
		return len(f.buf)
	}
	room := max(f.limit-used, 0)
	n := bytes.LastIndexByte(f.buf[:min(room, int64(len(f.buf)))], '\n') + 1
	if n == 0 && used == 0 {
		n = bytes.IndexByte(f.buf, '\n') + 1
	}
	return n
}

func (f *file) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.buf) == 0 || f.closed {
		return
	}
	f.prepare(0)
	f.drain()
}

// runFlush writes the buffer when a line has waited in it for long enough.
func (f *file) runFlush(done <-chan struct{}) {
	for {
		select {
		case <-f.dirty:
		case <-done:
			return
		}
		select {
		case <-time.After(f.flushAt):
			f.flush()
		case <-done:
			return
		}
	}
}

// reopen opens the file of the log's name in place of the open one.
func (f *file) reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.locate()
	f.check = time.Since(f.opened) + probe
	return f.swap()
}

func (f *file) addStats(s *Stats) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Lost += f.loss.total
	s.Rotations = f.rotations
}

// close writes the buffer and closes the file. The work in the background has ended.
func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	if len(f.buf) > 0 {
		f.check = 0 // it is the last chance
		f.prepare(0)
		f.drain()
		f.loss.add(uint64(bytes.Count(f.buf, []byte{'\n'})), f.loss.cause)
	}
	f.closed = true
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f = nil
	return err
}
