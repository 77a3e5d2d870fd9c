package logging

import (
	"io/fs"
	"os"
	"sync"
	"time"
)

// Operations on the file, as they are named among the faults.
const (
	opFile   = "logging to the file"
	opRotate = "rotating the file"
)

// file is TargetFile: the file that lines are appended to, and the work in the background that belongs to it.
type file struct {
	naming  naming
	limit   int64         // bytes of a file
	bufSize int           // 0: every line is written at once
	flushIn time.Duration // how long a line may wait in the buffer
	faults  *faults
	gap     gapLine
	folder  *folder
	opened  time.Time     // zero of the times below
	changed chan struct{} // has room for one: there may be something to do in the folder
	dirty   chan struct{} // has room for one: lines wait in the buffer

	mu        sync.Mutex // guards the fields below
	part      part       // what lines are written to now
	path      string     // of part
	from, to  int64      // the Unix times between which part is right, when daily
	f         *os.File   // nil while there is none that takes lines
	fd        uintptr    // of f
	id        os.FileInfo
	torn      bool          // f ends in the middle of a line
	misplaced bool          // f is no longer the file of path, which cannot be opened
	failing   bool          // f, or path, has failed and not worked since
	size      int64         // bytes of f and of buf
	buf       []byte        // whole lines that wait
	verified  time.Duration // when f was last seen to be the file of path
	check     time.Duration // when to look again, or to open the file when there is none
	turnAfter time.Duration // when a rotation that failed is tried again
	usual     bool          // there is nothing but to write, or to hold, a line of the present that fits
	closed    bool
	loss      loss
	rotations uint64
}

func newFile(cfg Config, faults *faults, gap gapLine) *file {
	n := naming{cfg.Name, cfg.RotateBy == RotateByDate}
	f := &file{
		naming:  n,
		limit:   cfg.Size,
		bufSize: int(cfg.Buffer),
		flushIn: cfg.Flush,
		faults:  faults,
		gap:     gap,
		folder:  newFolder(cfg, n, faults),
		opened:  time.Now(),
		changed: make(chan struct{}, 1),
		dirty:   make(chan struct{}, 1),
	}
	f.locate(f.folder.now())
	f.verify()
	f.settle()
	return f
}

// start starts the work in the background, which goes on until done is closed.
func (f *file) start(wg *sync.WaitGroup, done <-chan struct{}) {
	wg.Go(func() { f.folder.run(f.changed, done) })
	if f.folder.compress {
		wg.Go(func() { f.folder.runCompress(done) })
	}
	if f.bufSize > 0 {
		wg.Go(func() { f.runFlush(done) })
	}
}

// notify sends on a channel with room for one, unless a message is there already.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write writes a line of the time t, or puts it into the buffer when there is one. An urgent line does not wait there.
func (f *file) write(line []byte, urgent bool, t time.Time) {
	f.mu.Lock()
	// The time of a record saves a look at the clock as long as it lies between the last look at the file and the next
	// one. A record may be made by hand, with any time.
	elapsed := t.Sub(f.opened)
	known := elapsed >= f.verified && elapsed < f.check && (!f.naming.daily || !f.anotherDay(t))
	switch {
	case !f.usual || !known || f.size+int64(len(line)) > f.limit:
		f.admit(line, urgent)
	case f.bufSize == 0:
		// Here in one piece: after a system call a processor pays for each call that it returns through.
		n, err := writeOnce(f.fd, line, f.size)
		if n < len(line) {
			if n = f.resume(line, n, err); n == 0 {
				f.loss.add(1, f.loss.cause)
			}
			f.settle()
		}
		f.size += int64(n)
	case !urgent && len(f.buf)+len(line) <= f.bufSize:
		f.hold(line)
	default:
		f.admit(line, urgent)
	}
	f.mu.Unlock()
}

// admit is write for all cases.
func (f *file) admit(line []byte, urgent bool) {
	defer f.settle()
	if f.closed {
		f.loss.add(1, fs.ErrClosed)
		return
	}
	f.prepare(len(line))
	if f.loss.gap > 0 || len(f.buf)+len(line) > f.bufSize {
		f.drain()
	}
	switch {
	case f.loss.gap == 0 && len(f.buf)+len(line) <= f.bufSize:
		f.hold(line)
		if urgent {
			f.drain()
		}
	case len(f.buf) > 0 || !f.put(line): // nothing passes what waits
		f.loss.add(1, f.loss.cause)
	}
}

// prepare makes f ready to take n more bytes, as far as it can.
func (f *file) prepare(n int) {
	another := false
	if f.naming.daily {
		now := f.folder.now()
		if another = f.anotherDay(now); another {
			f.locate(now)
		}
	}
	if another || time.Since(f.opened) >= f.check {
		f.verify()
	}
	if f.f != nil && f.size > 0 && f.size+int64(n) > f.limit {
		f.drain()
		f.turn()
	}
}

// settle notes whether the next line needs more than to be written or held.
func (f *file) settle() {
	f.usual = f.f != nil && f.loss.gap == 0 && !f.torn && !f.failing && !f.closed
}

// reopen opens the file of the log's name in place of the open one.
func (f *file) reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	defer f.settle()
	f.locate(f.folder.now())
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
		f.check = 0 // a file that cannot be written gets its last chance
		f.prepare(0)
		f.drain()
		f.loss.add(countLines(f.buf), f.loss.cause)
		f.buf = nil
	}
	f.closed = true
	f.settle()
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f = nil
	return err
}
