package hostmetrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// batch is how many processes are looked at between two looks at the clock.
const batch = 64

// pids lists the processes.
func (c *Collector) pids(context.Context) ([]int32, error) {
	d, err := os.Open(c.path("proc"))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var list []int32
	for _, n := range names {
		if pid, err := strconv.ParseInt(n, 10, 32); err == nil && pid > 0 {
			list = append(list, int32(pid))
		}
	}
	return list, nil
}

// each looks at processes, one after the other. One that hangs, which the memory of a process can do that waits for a disk, is
// left out; its goroutine ends when the system lets it, and it is not looked at before that.
func each[T any](ctx context.Context, c *Collector, pids []int32, look func(f *files, pid int32) (T, bool), paced func([]T) error) error {
	for len(pids) > 0 {
		if c.hungProcesses.full() {
			return errOthersHang
		}
		b := &walk[T]{pids: pids[:min(len(pids), batch)]}
		done := make(chan struct{})
		go func() { // waited for below, or known to hang
			defer close(done)
			b.run(c, look)
		}()
		deadline := time.NewTimer(c.deadline)
		late := false
		select {
		case <-done:
		case <-ctx.Done():
		case <-deadline.C:
			late = true
		}
		deadline.Stop()
		found, n := b.leave(c, late)
		pids = pids[n:]
		if err := paced(found); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// walk is one batch.
type walk[T any] struct {
	pids []int32

	mu    sync.Mutex // guards what follows
	found []T
	begun int  // how many were looked at, the one that is being looked at included
	busy  bool // one is being looked at
	left  bool // nobody waits any more
	hangs bool // the last one was told to hang
}

func (b *walk[T]) run(c *Collector, look func(f *files, pid int32) (T, bool)) {
	var f files
	for _, pid := range b.pids {
		known := c.hungProcesses.has(process(pid))
		b.mu.Lock()
		left := b.left
		if !left {
			b.begun++
			b.busy = !known
		}
		b.mu.Unlock()
		switch {
		case left:
			return
		case known:
			c.outcome(process(pid), ErrHangs)
			continue
		}
		v, ok := look(&f, pid)
		b.mu.Lock()
		b.busy = false
		if ok && !b.left {
			b.found = append(b.found, v)
		}
		if b.hangs {
			c.hungProcesses.remove(process(pid))
			c.outcome(process(pid), nil)
		}
		b.mu.Unlock()
	}
}

// leave returns what was found, and how many processes are done with. One that is being looked at is known to hang until that returns,
// so that there is one goroutine for it however many reports are given up; that it took too long is told.
func (b *walk[T]) leave(c *Collector, late bool) ([]T, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = true
	if b.busy {
		name := process(b.pids[b.begun-1])
		b.hangs = true
		c.hungProcesses.add(name)
		if late {
			c.outcome(name, fmt.Errorf("took longer than %v", c.deadline))
		}
	}
	return b.found, b.begun
}

func process(pid int32) string { return "process " + strconv.Itoa(int(pid)) }

// openProcess opens the folder of a process: what is read through it is of that one, whoever gets its number meanwhile.
func (c *Collector) openProcess(pid int32) (int, error) {
	return openat(unix.AT_FDCWD, c.path("proc", strconv.Itoa(int(pid))), unix.O_RDONLY|unix.O_DIRECTORY)
}

// sockets calls f with each socket of a process, until it returns false.
func sockets(process int, f func(fd uint32, inode uint64)) error {
	dir, err := openat(process, "fd", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	entries, target := make([]byte, 16<<10), make([]byte, 64)
	for {
		n, err := unix.ReadDirent(dir, entries)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return err
		}
		// Each entry is a struct linux_dirent64: inode and offset of 8 bytes, length of 2, type of 1, and the name with a zero byte.
		for e := entries[:n]; len(e) > 19; {
			length := int(binary.NativeEndian.Uint16(e[16:]))
			if length <= 19 || length > len(e) {
				break
			}
			digits, _, _ := bytes.Cut(e[19:length], []byte{0})
			name := string(digits)
			e = e[length:]
			fd, err := strconv.ParseUint(name, 10, 32)
			if err != nil {
				continue
			}
			k, err := unix.Readlinkat(dir, name, target)
			if err != nil {
				continue
			}
			if inode, ok := socketInode(target[:k]); ok {
				f(uint32(fd), inode)
			}
		}
	}
}

// socketInode reads the number in "socket:[12345]".
func socketInode(target []byte) (uint64, bool) {
	number, ok := bytes.CutPrefix(target, []byte("socket:["))
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimSuffix(number, []byte("]"))), 10, 64)
	return n, err == nil
}
