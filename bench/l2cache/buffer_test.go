package l2cache_test

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// Bytes go through a buffer in pieces and come out again: our Buffer, bytes.Buffer, which is bound to one goroutine, the same with a
// lock, a pipe of package io, and the copying alone.
func BenchmarkBuffer(b *testing.B) {
	for _, piece := range []int{100, 4 << 10, 32 << 10} {
		for _, held := range []int{piece, 512 << 10} {
			for _, p := range buffers {
				b.Run(fmt.Sprintf("%d-of-%d/%s", piece, held, p.name), func(b *testing.B) { through(b, p.make(b), piece, held) })
			}
		}
	}
}

var buffers = []struct {
	name string
	make func(b *testing.B) io.ReadWriter
}{
	{ours, func(b *testing.B) io.ReadWriter { return newBuffer(b, l2cache.BufferConfig{}) }},
	{"bytes.Buffer", func(*testing.B) io.ReadWriter { return new(bytes.Buffer) }},
	{"bytes.Buffer-lock", func(*testing.B) io.ReadWriter { return new(lockedBuffer) }},
	{"copy", func(*testing.B) io.ReadWriter { return &copier{room: make([]byte, 1<<20)} }},
}

// through writes pieces, and reads them again when there are held bytes.
func through(b *testing.B, rw io.ReadWriter, piece, held int) {
	p := make([]byte, piece)
	b.SetBytes(int64(piece))
	b.ReportAllocs()
	for n := 0; b.Loop(); {
		if _, err := rw.Write(p); err != nil {
			b.Fatal(err)
		}
		if n += piece; n < held {
			continue
		}
		for n > 0 {
			m, err := rw.Read(p)
			if err != nil {
				b.Fatal(err)
			}
			n -= m
		}
	}
}

// One goroutine writes and another reads, with little memory: what does not fit goes over the disk. A pipe has neither, and its
// writer waits for its reader.
func BenchmarkBufferSpill(b *testing.B) {
	dir := b.TempDir()
	spool, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer spool.Close()
	const size = 64 << 20
	p := make([]byte, 32<<10)
	for _, memory := range []int64{128 << 10, 128 << 20} {
		b.Run(fmt.Sprintf("memory-%d", memory), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				buf := newBuffer(b, l2cache.BufferConfig{Spool: spool, Memory: memory, Size: size})
				for range size / len(p) {
					if _, err := buf.Write(p); err != nil {
						b.Fatal(err)
					}
				}
				buf.CloseWrite()
				if n, err := io.CopyBuffer(onlyWriter{io.Discard}, onlyReader{buf}, p); n != size || err != nil {
					b.Fatal(n, err)
				}
				if err := buf.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

func newBuffer(b *testing.B, cfg l2cache.BufferConfig) *l2cache.Buffer {
	b.Helper()
	buf, err := l2cache.NewBuffer(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { buf.Close() })
	return buf
}

// lockedBuffer is what one would write for want of a better one.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedBuffer) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Read(p)
}

// copier copies into memory that it has, and back.
type copier struct {
	room    []byte
	in, out int
}

func (c *copier) Write(p []byte) (int, error) {
	if c.in+len(p) > len(c.room) {
		c.in = 0
	}
	c.in += copy(c.room[c.in:], p)
	return len(p), nil
}

func (c *copier) Read(p []byte) (int, error) {
	if c.out+len(p) > len(c.room) {
		c.out = 0
	}
	c.out += copy(p, c.room[c.out:])
	return len(p), nil
}
