package l2cache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// spool opens a spool in a folder of its own, which is closed at the end of the test.
func spool(t testing.TB) (*l2cache.Spool, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 1 {
			t.Errorf("left: %q", left)
		}
	})
	return s, dir
}

// buffer makes a buffer, which is closed at the end of the test.
func buffer(t testing.TB, cfg l2cache.BufferConfig) *l2cache.Buffer {
	t.Helper()
	b, err := l2cache.NewBuffer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// pattern is n bytes of a text that is nowhere the same, from an offset on.
func pattern(off, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		x := off + i
		b[i] = byte(x>>(8*(x%3))) + byte(x%251)
	}
	return b
}

// write writes bytes of the pattern.
func write(t testing.TB, b *l2cache.Buffer, off, n int) {
	t.Helper()
	if m, err := b.Write(pattern(off, n)); m != n || err != nil {
		t.Fatalf("wrote %d of %d bytes, %v", m, n, err)
	}
}

// Readers that begin anywhere see the same bytes as fast as they are written, on the way from memory to the disk, and the end.
func TestBufferFollow(t *testing.T) {
	s, dir := spool(t)
	b := buffer(t, l2cache.BufferConfig{Spool: s, Memory: 32 << 10, Size: 8 << 20})
	const size = 3 << 20
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			from := i * 1234
			r := b.Reader(int64(from))
			got := make([]byte, 0, size)
			p := make([]byte, 100<<(2*i))
			for {
				n, err := r.Read(p)
				if got = append(got, p[:n]...); err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					break
				}
			}
			if !bytes.Equal(got, pattern(from, size-from)) {
				t.Errorf("reader %d: %d bytes are not those that were written", i, len(got))
			}
		})
	}
	for off := 0; off < size; {
		n := min(1+off%70_001, size-off)
		write(t, b, off, n)
		off += n
	}
	b.CloseWrite()
	wg.Wait()
	st, err := os.Stat(filepath.Join(dir, "1.buf"))
	if err != nil || !windows && st.Mode() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	if st, err := os.Stat(dir); err != nil || !windows && st.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", st, err)
	}
	if s := b.Stats(); s.Memory > 32<<10 || s.Disk != st.Size() || s.Disk < size-32<<10 {
		t.Errorf("%+v, the file has %d bytes", s, st.Size())
	}
}

// Several take bytes out of what several write: each byte comes once, and a write is not torn apart.
func TestBufferConcurrent(t *testing.T) {
	s, _ := spool(t)
	for name, cfg := range map[string]l2cache.BufferConfig{
		"memory": {Memory: 16 << 10}, "disk": {Spool: s, Memory: 4 << 10, Size: 64 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			b := buffer(t, cfg)
			const writers, each = 8, 200
			var writing, taking sync.WaitGroup
			line := func(i, j int) string { return strings.Repeat(string(rune('a'+i)), 1+(i*j*7)%900) + "\n" }
			for i := range writers {
				writing.Go(func() {
					for j := range each {
						if _, err := io.WriteString(b, line(i, j)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			var mu sync.Mutex
			taken := 0
			for range 3 {
				taking.Go(func() {
					n, err := io.Copy(io.Discard, struct{ io.Reader }{b})
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					taken += int(n)
				})
			}
			writing.Wait()
			b.CloseWrite()
			taking.Wait()
			want := 0
			for i := range writers {
				for j := range each {
					want += len(line(i, j))
				}
			}
			if s := b.Stats(); taken != want || s.Start != int64(want) || s.Disk != 0 {
				t.Errorf("%d bytes of %d, %+v", taken, want, s)
			}
		})
	}
}

// The bytes of one write are next to each other.
func TestBufferWriteIsWhole(t *testing.T) {
	s, _ := spool(t)
	b := buffer(t, l2cache.BufferConfig{Spool: s, Memory: 4 << 10, Size: 16 << 20})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				line := append(bytes.Repeat([]byte{byte('a' + i)}, 100*j), '\n')
				if _, err := b.Write(line); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.CloseWrite()
	all, err := io.ReadAll(b.Reader(0))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(all) {
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 && len(bytes.Trim(line, string(line[:1]))) > 0 {
			t.Fatalf("torn: %.100q", line)
		}
	}
}

// Who waits is woken: by bytes, by room, by the end, by Close and by its context.
func TestBufferWaits(t *testing.T) {
	s, _ := spool(t)
	synctest.Test(t, func(t *testing.T) {
		b := buffer(t, l2cache.BufferConfig{Spool: s, Memory: 4 << 10, Size: 10_000})
		result := make(chan error, 1)
		run := func(f func() error) { go func() { result <- f() }(); synctest.Wait() }
		expect := func(want error) {
			t.Helper()
			if err := <-result; !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%v, want %v", err, want)
			}
		}
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		r := b.Reader(0)
		p := make([]byte, 100)

		run(func() error { _, err := r.Read(p); return err })
		write(t, b, 0, 1)
		expect(nil)
		run(func() error { _, err := r.ReadContext(ctx, p); return err })
		cancel(cause)
		expect(cause)
		write(t, b, 1, 9_999)
		run(func() error { _, err := b.Write(p); return err })
		if err := b.Truncate(99); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(result) > 0 {
			t.Fatalf("there is room for 99 bytes: %v", <-result)
		}
		if n, err := b.Read(p[:1]); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		expect(nil)
		run(func() error {
			n, err := b.WriteContext(ctx, p)
			if n != 0 {
				t.Errorf("%d bytes", n)
			}
			return err
		})
		expect(cause)
		run(func() error { _, err := b.Write(p); return err })
		b.CloseWrite()
		expect(l2cache.ErrClosed)
		end := b.Reader(b.Stats().End)
		run(func() error { _, err := end.Read(p); return err })
		expect(io.EOF)

		open := buffer(t, l2cache.BufferConfig{})
		run(func() error { _, err := open.Read(p); return err })
		if err := open.Close(); err != nil {
			t.Fatal(err)
		}
		expect(l2cache.ErrClosed)
		_, err1 := open.Write(p)
		_, err2 := open.Read(p)
		_, err3 := open.ReadAt(p, 0)
		_, err4 := open.Reader(0).Read(p)
		for i, err := range []error{err1, err2, err3, err4, open.Truncate(0)} {
			if !errors.Is(err, l2cache.ErrClosed) {
				t.Errorf("call %d after Close: %v", i, err)
			}
		}
	})
}
