package logging

import (
	"bytes"
	"time"
)

// hold puts a line into the buffer.
func (f *file) hold(line []byte) {
	if len(f.buf) == 0 {
		notify(f.dirty)
	}
	f.buf = append(f.buf, line...)
	f.size += int64(len(line))
}

// drain writes the buffer, as far as the file takes it, and then the line that says that lines are missing after that. What
// is left stays for the next time.
func (f *file) drain() {
	for f.f != nil && len(f.buf) > 0 {
		n := f.fitting()
		if n == 0 {
			if f.turn() {
				continue
			}
			n = len(f.buf) // better too long a file than no line
		}
		if !f.pour(n) {
			return
		}
	}
	if len(f.buf) == 0 {
		f.mark()
	}
}

// pour writes the first n bytes of the buffer, whole lines, and returns whether all of them are in the file now.
func (f *file) pour(n int) bool {
	written := f.append(f.buf[:n])
	f.buf = f.buf[:copy(f.buf, f.buf[written:])]
	return written == n
}

// fitting is how many bytes of whole lines of the buffer fit into the file: at least one line into an empty file.
func (f *file) fitting() int {
	if f.size <= f.limit {
		return len(f.buf)
	}
	room := min(max(f.limit-f.onDisk(), 0), int64(len(f.buf)))
	n := bytes.LastIndexByte(f.buf[:room], '\n') + 1
	if n == 0 && f.onDisk() == 0 {
		n = bytes.IndexByte(f.buf, '\n') + 1
	}
	return n
}

// flush writes the buffer.
func (f *file) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.buf) > 0 && !f.closed {
		f.prepare(0)
		f.drain()
		f.settle()
		if len(f.buf) > 0 { // the file takes nothing now
			notify(f.dirty)
		}
	}
}

// runFlush writes the buffer when a line has waited in it for long enough, until done is closed.
func (f *file) runFlush(done <-chan struct{}) {
	for {
		select {
		case <-f.dirty:
		case <-done:
			return
		}
		select {
		case <-time.After(f.flushIn):
			f.flush()
		case <-done:
			return
		}
	}
}
