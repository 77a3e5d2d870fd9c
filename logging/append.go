package logging

import (
	"bytes"
	"io"
	"io/fs"
	"time"
)

// onDisk is how many bytes f has.
func (f *file) onDisk() int64 { return f.size - int64(len(f.buf)) }

// put writes a line, and before it the one that says that lines are missing. It returns whether the line is in the file.
func (f *file) put(line []byte) bool {
	if !f.mark() || f.append(line) == 0 {
		return false
	}
	f.size += int64(len(line))
	return true
}

// mark writes the line that says that lines are missing, when there are any. It returns whether f takes lines.
func (f *file) mark() bool {
	if f.f == nil || f.loss.gap == 0 {
		return f.f != nil
	}
	line := f.gap(f.loss.gap, f.loss.since, f.loss.cause)
	if f.append(line) == 0 {
		return false
	}
	f.size += int64(len(line))
	f.loss.gap = 0
	return true
}

// append writes whole lines with one call, and before them the end of a line that somebody left without. It returns how
// many bytes of whole lines are in the file now; when these are not all, f is closed.
func (f *file) append(lines []byte) int {
	if f.torn {
		if n, err := writeOnce(f.fd, []byte{'\n'}, f.onDisk()); n == 0 {
			f.broke(err)
			return 0
		}
		f.torn = false
		f.size++
	}
	n, err := writeOnce(f.fd, lines, f.onDisk())
	if n < len(lines) {
		return f.resume(lines, n, err)
	}
	if f.failing && !f.misplaced {
		f.failing = false
		f.faults.works(opFile)
	}
	return n
}

// resume goes on after a write that took n bytes of lines only. Mostly the disk is full: then no half line stays in the
// file, and f is closed, to be opened again after a while. It returns what append does.
func (f *file) resume(lines []byte, n int, err error) int {
	for n < len(lines) && (err == nil || interrupted(err)) {
		var m int
		if m, err = writeOnce(f.fd, lines[n:], f.onDisk()+int64(n)); m == 0 && err == nil {
			err = io.ErrShortWrite
		}
		n += m
	}
	if n == len(lines) {
		return n
	}
	whole := bytes.LastIndexByte(lines[:n], '\n') + 1
	if n > whole {
		f.cut(int64(n - whole))
	}
	f.broke(&fs.PathError{Op: "write", Path: f.path, Err: err})
	return whole
}

// cut removes the last n bytes of f, the beginning of a line that has no room, unless another process has ended that line
// with one of its own. When they cannot be removed, openLog finds them, and the next line begins after a line feed.
func (f *file) cut(n int64) {
	st, err := f.f.Stat()
	if err != nil || st.Size() < n {
		return
	}
	tail := make([]byte, n)
	if _, err := f.f.ReadAt(tail, st.Size()-n); err == nil && !bytes.Contains(tail, []byte{'\n'}) {
		_ = f.f.Truncate(st.Size() - n)
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

// countLines is how many lines end in b.
func countLines(b []byte) uint64 { return uint64(bytes.Count(b, []byte{'\n'})) }
