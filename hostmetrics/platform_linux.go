package hostmetrics

import (
	"bytes"
	"io/fs"
	"iter"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxFile is how much of a file is read.
const maxFile = 4 << 20

// path returns where a file of the machine is.
func (c *Collector) path(name ...string) string { return filepath.Join(c.root, filepath.Join(name...)) }

// files reads files of /proc one after the other into one buffer. It goes around package os, which would have the poller watch each.
type files struct{ buf []byte }

// read returns what is in a file until the next call. Files of /proc have no size that one could ask for.
func (f *files) read(name string) ([]byte, error) { return f.readAt(unix.AT_FDCWD, name) }

// readAt reads a file of an open folder.
func (f *files) readAt(dir int, name string) ([]byte, error) {
	fd, err := openat(dir, name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if f.buf == nil {
		f.buf = make([]byte, 8<<10)
	}
	n := 0
	for {
		if n == len(f.buf) {
			if n >= maxFile {
				return f.buf[:n], nil
			}
			f.buf = append(f.buf, make([]byte, n)...)
		}
		k, err := unix.Read(fd, f.buf[n:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: name, Err: err}
		case k == 0:
			return f.buf[:n], nil
		default:
			n += k
		}
	}
}

// openat opens a file of an open folder.
func openat(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		switch err {
		case nil:
			return fd, nil
		case unix.EINTR:
		default:
			return -1, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

// text returns the first line of a small file.
func (f *files) text(name string) (string, error) {
	b, err := f.read(name)
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return clip(string(bytes.TrimSpace(line)), maxName), nil
}

// pairs gives the names and values of lines such as "MemTotal: 16 kB" and "cache 1234".
func pairs(text []byte) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range bytes.Lines(text) {
			i := bytes.IndexAny(line, ": \t")
			if i <= 0 {
				continue
			}
			name, value := string(bytes.TrimSpace(line[:i])), line[i+1:]
			if before, after, ok := bytes.Cut(line, []byte{':'}); ok {
				name, value = string(bytes.TrimSpace(before)), after
			}
			if !yield(name, string(bytes.TrimSpace(value))) {
				return
			}
		}
	}
}

// kilobytes reads a value such as "16 kB".
func kilobytes(s string) uint64 {
	n, err := strconv.ParseUint(strings.TrimSuffix(s, " kB"), 10, 64)
	if err != nil || n > 1<<54 {
		return 0
	}
	return n << 10
}
