package libagent_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
)

// A full disk under the outbox is said by Emit, loses nothing that was accepted, and is over when there is room.
func TestOutboxOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	mount := func(flags uintptr, size int) error {
		return syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%d", size))
	}
	if err := mount(0, 1<<20); err != nil {
		t.Skipf("SKIP: a file system cannot be mounted here: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t)
		srv := newServer(t, j.serve)
		srv.Down(true)
		ready := make(chan *libagent.Agent, 1)
		r := start(t, srv, emitter(ready), withDir(dir))
		ag := <-ready
		pad, accepted, failed := strings.Repeat("x", 100_000), 0, false
		try := func() error {
			err := libagent.Emit(t.Context(), ag, text, textPayload{fmt.Sprintf("%02d%s", accepted, pad)})
			if err == nil {
				accepted++
			}
			return err
		}
		for !failed && accepted < 20 {
			err := try()
			failed = err != nil
			if failed && !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
		}
		if !failed {
			t.Fatal("a disk of 1 MiB took 2 MB")
		}
		if s := ag.Status().Outbox; s.Fault == "" || s.Messages != accepted {
			t.Errorf("the status says %+v, %d messages are accepted", s, accepted)
		}
		if err := mount(syscall.MS_REMOUNT, 8<<20); err != nil {
			t.Fatal(err)
		}
		if err := try(); err != nil {
			t.Errorf("with room on the disk: %v", err)
		}
		srv.Down(false)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(j.got) != accepted {
			t.Errorf("the journal has %d messages, %d were accepted", len(j.got), accepted)
		}
		for i, said := range j.got {
			if want := fmt.Sprintf("1 0 %02d", i); !strings.HasPrefix(said, want) {
				t.Errorf("message %d is %.10s", i, said)
			}
		}
		stop(t, r)
	})
}
