package l2cache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
	"pgregory.net/rapid"
)

// bufferMachine is a buffer beside a slice of all that was written.
type bufferMachine struct {
	cfg       l2cache.BufferConfig
	b         *l2cache.Buffer
	r         *l2cache.BufferReader
	all       []byte
	start     int
	discarded int
	cut       bool
	ended     bool
}

// write expects what the policy says.
func (m *bufferMachine) write(t *rapid.T, p []byte) {
	n, err := m.b.WriteContext(done(), p)
	free := int(m.cfg.Size) - (len(m.all) - m.start)
	want := len(p)
	switch {
	case m.ended:
		if want = 0; len(p) > 0 && !errors.Is(err, l2cache.ErrClosed) {
			t.Fatalf("write after the end: %v", err)
		}
		err = nil
	case m.cfg.Full == l2cache.FullDiscard && (m.cut || len(p) > free):
		if m.cut {
			free = 0
		}
		m.cut = true
		m.discarded += len(p) - free
		m.all = append(m.all, p[:free]...)
		p = nil
	case m.cfg.Full == l2cache.FullDrop && len(p) > free:
		m.start += len(p) - free
	case len(p) > free:
		want = free
		full := l2cache.ErrFull
		if m.cfg.Full == l2cache.FullWait {
			full = context.Canceled
		}
		if !errors.Is(err, full) {
			t.Fatalf("%d of %d bytes: %v, want %v", n, len(p), err, full)
		}
		err = nil
	}
	if n != want || err != nil {
		t.Fatalf("wrote %d bytes, want %d, %v", n, want, err)
	}
	m.all = append(m.all, p[:min(want, len(p))]...)
}

// same expects bytes from an offset on.
func (m *bufferMachine) same(t *rapid.T, got []byte, off int) {
	if off+len(got) > len(m.all) || !bytes.Equal(got, m.all[off:off+len(got)]) {
		t.Fatalf("%d bytes at %d are not those that were written", len(got), off)
	}
}

// Any order of calls leaves a buffer with what a slice would have, in memory, beyond it, and with every policy.
func TestBufferIsASlice(t *testing.T) { rapid.Check(t, bufferIsASlice) }

// The same, with calls that the fuzzer thinks of.
func FuzzBuffer(f *testing.F) { f.Fuzz(rapid.MakeFuzz(bufferIsASlice)) }

func bufferIsASlice(t *rapid.T) {
	dir, err := os.MkdirTemp("", "buffer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &bufferMachine{}
	m.cfg = l2cache.BufferConfig{
		Memory: rapid.SampledFrom([]int64{4 << 10, 50_000}).Draw(t, "memory"),
		Size:   rapid.SampledFrom([]int64{700, 4 << 10, 30_000, 200_000}).Draw(t, "size"),
		Full:   rapid.SampledFrom([]l2cache.Full{l2cache.FullWait, l2cache.FullRefuse, l2cache.FullDrop, l2cache.FullDiscard}).Draw(t, "full"),
	}
	var spool *l2cache.Spool
	if m.cfg.Size > m.cfg.Memory || rapid.Bool().Draw(t, "spool") {
		spool, err = l2cache.OpenSpool(l2cache.SpoolConfig{Dir: filepath.Join(dir, "spool")})
		if err != nil {
			t.Fatal(err)
		}
		defer spool.Close()
		m.cfg.Spool = spool
	}
	if m.b, err = l2cache.NewBuffer(m.cfg); err != nil {
		t.Fatal(err)
	}
	m.r = m.b.Reader(0)
	size := rapid.SampledFrom([]int{0, 1, 10, 511, 512, 513, 1000, 4096, 5000, 33_000, 70_000})
	t.Repeat(map[string]func(*rapid.T){
		"write": func(t *rapid.T) {
			p := make([]byte, size.Draw(t, "n"))
			x := byte(len(m.all))
			for i := range p {
				x = x*31 + 7
				p[i] = x ^ byte(i>>8)
			}
			m.write(t, p)
		},
		"take out": func(t *rapid.T) {
			p := make([]byte, size.Draw(t, "n"))
			n, err := m.b.ReadContext(done(), p)
			if held := len(m.all) - m.start; n > min(len(p), held) || n == 0 && min(len(p), held) > 0 ||
				n == 0 && len(p) > 0 && !errors.Is(err, context.Canceled) && (err != io.EOF || !m.ended) {
				t.Fatalf("took %d bytes of %d, %v", n, held, err)
			}
			m.same(t, p[:n], m.start)
			m.start += n
		},
		"follow": func(t *rapid.T) {
			p := make([]byte, size.Draw(t, "n"))
			off := int(m.r.Offset())
			n, err := m.r.ReadContext(done(), p)
			switch {
			case off < m.start:
				if n > 0 || !errors.Is(err, l2cache.ErrGone) {
					t.Fatalf("read %d bytes at %d, the oldest is %d: %v", n, off, m.start, err)
				}
				m.r = m.b.Reader(int64(m.start))
			case n == 0 && min(len(p), len(m.all)-off) > 0 || int(m.r.Offset()) != off+n:
				t.Fatalf("read %d bytes at %d of %d, %v", n, off, len(m.all), err)
			}
			m.same(t, p[:n], off)
		},
		"read at": func(t *rapid.T) {
			off := rapid.IntRange(0, len(m.all)+1).Draw(t, "off")
			p := make([]byte, size.Draw(t, "n"))
			n, err := m.b.ReadAt(p, int64(off))
			switch want := min(len(p), max(0, len(m.all)-off)); {
			case len(p) == 0:
			case off < m.start:
				if n > 0 || !errors.Is(err, l2cache.ErrGone) {
					t.Fatalf("read %d bytes at %d, the oldest is %d: %v", n, off, m.start, err)
				}
			case n != want || (err == io.EOF) != (n < len(p)) || err != nil && err != io.EOF:
				t.Fatalf("read %d bytes at %d, want %d, %v", n, off, want, err)
			}
			m.same(t, p[:n], min(off, len(m.all)))
		},
		"truncate": func(t *rapid.T) {
			off := rapid.IntRange(0, len(m.all)+1).Draw(t, "off")
			err := m.b.Truncate(int64(off))
			if off > len(m.all) {
				if !errors.Is(err, l2cache.ErrAhead) {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m.start = max(m.start, off)
		},
		"end": func(t *rapid.T) {
			if rapid.IntRange(0, 20).Draw(t, "now") == 0 {
				m.b.CloseWrite()
				m.ended = true
			}
		},
		"": func(t *rapid.T) {
			s := m.b.Stats()
			if s.Start != int64(m.start) || s.End != int64(len(m.all)) || s.Discarded != int64(m.discarded) || s.Fault != nil ||
				s.Memory > m.cfg.Memory+1<<10 || s.End-s.Start > m.cfg.Size {
				t.Fatalf("%+v, want %d to %d, %d discarded", s, m.start, len(m.all), m.discarded)
			}
			if spool == nil {
				return
			}
			if size := sizeOf(t, filepath.Join(dir, "spool"), "*.buf"); spool.Used() != s.Disk || size > s.Disk+70_000*4 || s.Disk == 0 && size > 0 {
				t.Fatalf("%d bytes of the spool, %d on disk, %+v", spool.Used(), size, s)
			}
		},
	})
	if err := m.b.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "spool", "*.buf")); len(left) > 0 {
		t.Fatalf("left: %q", left)
	}
}
