package l2cache_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// limitQueue is what any durable queue does at the least: a checksum and one write for each record, and to take them, a file that is
// read in large pieces and compared. With a sync, whoever finds nobody at work writes and syncs for all that wait.
type limitQueue struct {
	file *os.File
	fd   int
	from *bufio.Reader
	sync bool

	mu      sync.Mutex // guards what follows
	writing bool
	buf     []byte
	spare   []byte
	waiting *commit
}

// commit is what those who wait for one sync share.
type commit struct {
	done chan struct{}
	err  error
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func openLimit(dir string, sync bool) (queue, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &limitQueue{file: f, fd: int(f.Fd()), from: bufio.NewReaderSize(&follower{f, 0}, 256<<10), sync: sync}, nil
}

// follower reads a file that grows.
type follower struct {
	file *os.File
	off  int64
}

func (f *follower) Read(p []byte) (int, error) {
	n, err := f.file.ReadAt(p, f.off)
	f.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func appendRecord(b, record []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(record)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(record, castagnoli))
	return append(b, record...)
}

func (q *limitQueue) put(record []byte) error {
	q.mu.Lock()
	if !q.sync {
		defer q.mu.Unlock()
		q.buf = appendRecord(q.buf[:0], record)
		_, err := syscall.Write(q.fd, q.buf)
		return err
	}
	q.buf = appendRecord(q.buf, record)
	if q.waiting == nil {
		q.waiting = &commit{done: make(chan struct{})}
	}
	mine := q.waiting
	if q.writing {
		q.mu.Unlock()
		<-mine.done
		return mine.err
	}
	q.writing = true
	for q.waiting != nil {
		c, buf := q.waiting, q.buf
		q.waiting, q.buf = nil, q.spare[:0]
		q.mu.Unlock()
		_, c.err = syscall.Write(q.fd, buf)
		if c.err == nil {
			c.err = syscall.Fdatasync(q.fd)
		}
		close(c.done)
		q.mu.Lock()
		q.spare = buf
	}
	q.writing = false
	q.mu.Unlock()
	return mine.err
}

func (q *limitQueue) take(most int, each func([]byte)) error {
	for range most {
		head, err := q.from.Peek(8)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		size := 8 + int(binary.LittleEndian.Uint32(head))
		record, err := q.from.Peek(size)
		if err != nil {
			return err
		}
		if crc32.Checksum(record[8:], castagnoli) != binary.LittleEndian.Uint32(record[4:]) {
			return errors.New("checksum")
		}
		each(record[8:])
		if _, err := q.from.Discard(size); err != nil {
			return err
		}
	}
	return nil
}

func (q *limitQueue) close() error { return q.file.Close() }
