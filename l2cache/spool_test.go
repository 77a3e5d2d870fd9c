package l2cache_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// A configuration that makes no sense is refused in words.
func TestBufferConfig(t *testing.T) {
	s, _ := spool(t)
	for want, cfg := range map[string]l2cache.BufferConfig{
		"memory of 100 bytes is less than 4096": {Memory: 100},
		"memory of -1 bytes is less than 4096":  {Memory: -1},
		"size of -1 bytes":                      {Size: -1},
		"full 4":                                {Full: 4},
		"without a spool, size of 2000000 bytes is more than the memory of 1048576": {Size: 2_000_000},
	} {
		if _, err := l2cache.NewBuffer(cfg); err == nil || err.Error() != "new buffer: "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for want, cfg := range map[string]l2cache.SpoolConfig{
		"no folder": {}, "size of 100 bytes is less than 65536": {Dir: t.TempDir(), Size: 100},
	} {
		if _, err := l2cache.OpenSpool(cfg); err == nil || err.Error() != "open spool: "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l2cache.NewBuffer(l2cache.BufferConfig{Spool: s}); !errors.Is(err, l2cache.ErrClosed) {
		t.Errorf("a buffer of a closed spool: %v", err)
	}
}

// A little output takes a little memory, and no file.
func TestBufferSmall(t *testing.T) {
	s, dir := spool(t)
	b := buffer(t, l2cache.BufferConfig{Spool: s})
	if b.Stats().Memory != 0 {
		t.Errorf("%+v", b.Stats())
	}
	write(t, b, 0, 10)
	if files, _ := filepath.Glob(filepath.Join(dir, "*.buf")); b.Stats().Memory > 1<<10 || len(files) > 0 {
		t.Errorf("%+v, %q", b.Stats(), files)
	}
}

// One process owns a spool. What another one has left when it was killed is gone when the spool is opened again.
func TestSpoolLeftovers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	cmd := child(t, "spool", "SPOOL_DIR="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir}); !errors.Is(err, l2cache.ErrLocked) || !strings.Contains(err.Error(), "lock") {
		t.Errorf("a second owner: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, "*.buf")); len(left) != 1 {
		t.Fatalf("the killed one has left %q", left)
	}
	if err := os.WriteFile(filepath.Join(dir, "somebody's"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 || left[1].Name() != "somebody's" {
		t.Errorf("left: %v, %v", left, err)
	}
}

// childSpools fills a buffer and waits for the end of its input.
func childSpools() {
	s, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: os.Getenv("SPOOL_DIR")})
	must(err)
	b, err := l2cache.NewBuffer(l2cache.BufferConfig{Spool: s, Memory: 4 << 10})
	must(err)
	_, err = b.Write(make([]byte, 100<<10))
	must(err)
	fmt.Println("full")
	io.Copy(io.Discard, os.Stdin)
}

// The spool is one bound for all its buffers: one that is full makes a writer wait until another one gives back.
func TestSpoolSize(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	synctest.Test(t, func(t *testing.T) {
		s, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir, Size: 128 << 10})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		cfg := l2cache.BufferConfig{Spool: s, Memory: 8 << 10, Size: 1 << 20}
		first := buffer(t, cfg)
		write(t, first, 0, 100<<10)
		second := buffer(t, cfg)
		written := make(chan error)
		go func() { _, err := second.Write(pattern(0, 100<<10)); written <- err }()
		synctest.Wait()
		select {
		case err := <-written:
			t.Fatalf("200 KiB are in 128 KiB: %v", err)
		default:
		}
		if s.Used() > 128<<10 || s.Used() != first.Stats().Disk+second.Stats().Disk {
			t.Errorf("%d bytes are used, %+v, %+v", s.Used(), first.Stats(), second.Stats())
		}
		for full, want := range map[l2cache.Full]error{l2cache.FullRefuse: l2cache.ErrFull, l2cache.FullDiscard: nil, l2cache.FullDrop: nil} {
			cfg.Full = full
			b := buffer(t, cfg)
			n, err := b.Write(pattern(0, 100<<10))
			if s := b.Stats(); !errors.Is(err, want) || s.End-s.Start < 7<<10 || int64(n) != s.End+s.Discarded || full == l2cache.FullDrop != (s.Dropped > 0) {
				t.Errorf("%s: %d, %v, %+v", full, n, err, s)
			}
		}
		if err := first.Truncate(80 << 10); err != nil {
			t.Fatal(err)
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		second.CloseWrite()
		if all, err := io.ReadAll(second); err != nil || !bytes.Equal(all, pattern(0, 100<<10)) {
			t.Errorf("%d bytes, %v", len(all), err)
		}
		if err := first.Close(); err != nil || s.Used() != 0 {
			t.Errorf("%d bytes are used, %v", s.Used(), err)
		}
	})
}

// Somebody removes the folder: buffers that have a file keep what is in it, others get a new folder.
func TestSpoolRemoved(t *testing.T) {
	if windows {
		t.Skip("SKIP: an open file cannot be removed")
	}
	s, dir := spool(t)
	cfg := l2cache.BufferConfig{Spool: s, Memory: 4 << 10}
	first := buffer(t, cfg)
	write(t, first, 0, 50<<10)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	write(t, first, 50<<10, 50<<10)
	second := buffer(t, cfg)
	write(t, second, 0, 100<<10)
	for _, b := range []*l2cache.Buffer{first, second} {
		b.CloseWrite()
		if all, err := io.ReadAll(b); err != nil || !bytes.Equal(all, pattern(0, 100<<10)) {
			t.Errorf("%d bytes, %v", len(all), err)
		}
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", st, err)
	}
	if _, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir}); !errors.Is(err, l2cache.ErrLocked) {
		t.Errorf("another owner: %v", err)
	}
}

// Somebody turns a byte of the file, or cuts it: who reads gets what was written up to there, an error that says which bytes are
// lost and in which file, and the rest.
func TestBufferDamaged(t *testing.T) {
	const size = 300 << 10
	for name, c := range map[string]struct {
		damage func(b []byte) []byte
		want   error
	}{
		"turned": {func(b []byte) []byte { b[70_000]++; b[90_000]++; return b }, l2cache.ErrDamaged},
		"cut":    {func(b []byte) []byte { return b[:100_000] }, l2cache.ErrGone},
		"zeros":  {func(b []byte) []byte { clear(b[100_000:]); return b }, l2cache.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := spool(t)
			b := buffer(t, l2cache.BufferConfig{Spool: s, Memory: 4 << 10})
			write(t, b, 0, size)
			b.CloseWrite()
			path := filepath.Join(dir, "1.buf")
			content, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, c.damage(content), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			want := pattern(0, size)
			lost := 0
			for off := int64(0); off < size; {
				r := b.Reader(off)
				got, err := io.ReadAll(r)
				if !bytes.Equal(got, want[off:off+int64(len(got))]) {
					t.Fatalf("%d bytes at %d are not those that were written", len(got), off)
				}
				off += int64(len(got))
				var l *l2cache.LostError
				switch {
				case off == size && err == nil:
				case !errors.As(err, &l) || !errors.Is(err, c.want) || l.From != off || l.To <= off || l.To > size || !strings.Contains(err.Error(), path):
					t.Fatalf("at %d: %v", off, err)
				default:
					lost += int(l.To - l.From)
					off = l.To
				}
			}
			if lost == 0 || name == "turned" && lost > 8<<10 {
				t.Errorf("%d bytes are lost", lost)
			}
			// Taking out stops there as well, until somebody gives up the lost bytes.
			var l *l2cache.LostError
			if _, err := io.Copy(io.Discard, b); !errors.As(err, &l) || l.From != b.Stats().Start {
				t.Fatalf("%v, %+v", err, b.Stats())
			}
			if err := b.Truncate(l.To); err != nil {
				t.Fatal(err)
			}
			if n, err := b.Read(make([]byte, 1)); name == "turned" && (n != 1 || err != nil) {
				t.Errorf("behind: %d, %v", n, err)
			}
		})
	}
}

// A buffer that is closed while others use it, and a spool with buffers, leave nothing behind; who used them is told.
func TestBufferClosedInUse(t *testing.T) {
	for range 20 {
		s, dir := spool(t)
		var wg sync.WaitGroup
		for range 2 {
			b := buffer(t, l2cache.BufferConfig{Spool: s, Memory: 4 << 10, Size: 100 << 10})
			begun := make(chan struct{}, 4)
			use := func(f func() error) {
				wg.Go(func() {
					for i := 0; ; i++ {
						if err := f(); err != nil {
							if !errors.Is(err, l2cache.ErrClosed) && !errors.Is(err, l2cache.ErrGone) {
								t.Error(err)
							}
							if errors.Is(err, l2cache.ErrClosed) {
								return
							}
						}
						if i == 10 {
							begun <- struct{}{}
						}
					}
				})
			}
			p := make([]byte, 5000)
			use(func() error { _, err := b.Write(p); return err })
			use(func() error { _, err := b.Read(make([]byte, 3000)); return err })
			use(func() error { _, err := b.Reader(b.Stats().Start).Read(make([]byte, 3000)); return err })
			use(func() error {
				if _, err := b.ReadAt(make([]byte, 3000), b.Stats().Start); err != io.EOF {
					return err
				}
				return nil
			})
			for range 4 {
				<-begun
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if left, _ := filepath.Glob(filepath.Join(dir, "*.buf")); len(left) > 0 || s.Used() != 0 {
			t.Errorf("left: %q, %d bytes", left, s.Used())
		}
	}
}
