package l2cache_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
	"golang.org/x/sys/unix"
)

// spoolOn opens a spool in a folder of a disk.
func spoolOn(t *testing.T, disk string) *l2cache.Spool {
	t.Helper()
	s, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: filepath.Join(disk, "spool")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The disk is full: a writer is told, or what it writes from there on is counted. What was taken is there, and it goes on when there
// is room.
func TestBufferDiskFull(t *testing.T) {
	for _, full := range []l2cache.Full{l2cache.FullWait, l2cache.FullRefuse, l2cache.FullDrop, l2cache.FullDiscard} {
		t.Run(full.String(), func(t *testing.T) {
			disk := tmpfs(t, "size=256k")
			b := buffer(t, l2cache.BufferConfig{Spool: spoolOn(t, disk), Memory: 16 << 10, Size: 8 << 20, Full: full})
			written := 0
			var err error
			for err == nil && b.Stats().Discarded == 0 && written < 1<<20 {
				var n int
				n, err = b.Write(pattern(written, 3000))
				written += n
			}
			s := b.Stats()
			if full == l2cache.FullDiscard {
				if err != nil || s.Discarded == 0 || s.End+s.Discarded != int64(written) {
					t.Fatalf("%d written, %+v, %v", written, s, err)
				}
			} else if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), disk) || s.End != int64(written) {
				t.Fatalf("%d written, %+v, %v", written, s, err)
			}
			if !errors.Is(s.Fault, syscall.ENOSPC) || s.Faults == 0 || s.End < 200<<10 {
				t.Errorf("%+v", s)
			}
			all := make([]byte, s.End)
			if _, err := b.ReadAt(all, 0); err != nil || !bytes.Equal(all, pattern(0, int(s.End))) {
				t.Errorf("%d bytes are not those that were written, %v", s.End, err)
			}
			// What is taken out makes room.
			if _, err := io.CopyN(io.Discard, b, 100<<10); err != nil {
				t.Fatal(err)
			}
			before := b.Stats()
			n, err := b.Write(pattern(int(s.End), 50<<10))
			if after := b.Stats(); err != nil || n != 50<<10 || full == l2cache.FullDiscard != (after.End == before.End) ||
				full != l2cache.FullDiscard && after.Fault != nil {
				t.Errorf("there is room: %d, %v, %+v", n, err, after)
			}
			rest := make([]byte, b.Stats().End-100<<10)
			if _, err := b.ReadAt(rest, 100<<10); err != nil || !bytes.Equal(rest, pattern(100<<10, len(rest))) {
				t.Errorf("the rest is not what was written, %v", err)
			}
		})
	}
}

// What is taken out is given back to the disk: at once, wherever in the file it is.
func TestBufferGivesBack(t *testing.T) {
	disk := tmpfs(t, "size=16m")
	b := buffer(t, l2cache.BufferConfig{Spool: spoolOn(t, disk), Memory: 512 << 10, Size: 12 << 20})
	blocks := func() int64 {
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(disk, "spool", "1.buf"), &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	write(t, b, 0, 8<<20)
	most := blocks()
	if most < 7<<20 {
		t.Fatalf("the file has %d bytes", most)
	}
	for off := int64(1 << 20); off <= 8<<20; off += 1 << 20 {
		if err := b.Truncate(off); err != nil {
			t.Fatal(err)
		}
		if now := blocks(); now > 8<<20-off || now > b.Stats().Disk {
			t.Errorf("at %d the file has %d bytes, %+v", off, now, b.Stats())
		}
	}
	// Nothing but what is written and taken out: the file does not grow.
	for off := 8 << 20; off < 100<<20; off += 2 << 20 {
		write(t, b, off, 2<<20)
		if _, err := io.CopyN(io.Discard, b, 2<<20); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := os.Stat(filepath.Join(disk, "spool", "1.buf")); err != nil || st.Size() > 2<<20 {
		t.Errorf("%v, %v", st, err)
	}
}

// The folder cannot be written to: who fits into memory does not notice, and the others are told.
func TestSpoolReadOnly(t *testing.T) {
	disk := tmpfs(t, "size=1m")
	remount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("", disk, "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := spoolOn(t, disk).Close(); err != nil { // the lock is there
		t.Fatal(err)
	}
	remount(unix.MS_RDONLY)
	b := buffer(t, l2cache.BufferConfig{Spool: spoolOn(t, disk), Memory: 4 << 10})
	write(t, b, 0, 3<<10)
	n, err := b.Write(pattern(3<<10, 10<<10))
	if !errors.Is(err, syscall.EROFS) || b.Stats().Fault == nil {
		t.Fatalf("%d bytes, %v, %+v", n, err, b.Stats())
	}
	remount(0)
	write(t, b, 3<<10+n, 10<<10-n)
	all := make([]byte, 13<<10)
	if _, err := b.ReadAt(all, 0); err != nil || !bytes.Equal(all, pattern(0, len(all))) || b.Stats().Fault != nil {
		t.Errorf("%v, %+v", err, b.Stats())
	}
}
