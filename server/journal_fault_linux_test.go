package server_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// smallDisk mounts a file system of so many bytes, and returns its folder and how it gets another size.
func smallDisk(t *testing.T, size int) (dir string, resize func(int)) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("mode=700,size=%d", size)); err != nil {
		t.Skipf("SKIP: a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(size int) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)); err != nil {
			t.Fatal(err)
		}
	}
}

// A full disk under the journal loses nothing: agents are told to keep what they have, and go on when there is room.
func TestJournalOnFullDisk(t *testing.T) {
	dir, resize := smallDisk(t, 8<<20)
	all := newCollector()
	f := startSinks(t, server.Config{DataDir: dir, Journal: server.JournalConfig{Size: 64 << 20}}, map[string]server.Sink{"all": all})
	k := f.keeper(t, "a")
	k.open(1, runA, 1, 1)
	pad := strings.Repeat("x", 1<<20)
	acked, lost := uint64(0), false
	for n := uint64(1); !lost; n++ {
		if n > 20 {
			t.Fatal("the disk takes more than it has")
		}
		k.say(1, n, fmt.Sprintf("%05d%s", n, pad))
		switch f := k.receive(); f.Type {
		case wire.OutAck.Type():
			acked = n
		case wire.OutLost.Type():
			lost = true
		}
	}
	send(t, k.Conn, wire.OutOpen, "", wire.OutOpenPayload{Streams: []wire.OutStream{{Handle: 2, Run: runA, Lane: 1, First: 1}}})
	resize(64 << 20)
	if c := expect(t, k.Conn, wire.OutOpened).Streams[0]; c.Seq != acked {
		t.Errorf("the stream goes on after %d, want %d", c.Seq, acked)
	}
	for n := acked + 1; n <= 20; n++ {
		k.say(2, n, fmt.Sprintf("%05d%s", n, pad))
		k.acked(2, n)
	}
	for i, said := range all.wait(20) {
		if want := fmt.Sprintf("a: %05d", i+1); !strings.HasPrefix(said, want) {
			t.Errorf("entry %d is %.10s, want %s", i, said, want)
		}
	}
	if n := len(all.wait(20)); n != 20 {
		t.Errorf("%d entries, want 20", n)
	}
}
