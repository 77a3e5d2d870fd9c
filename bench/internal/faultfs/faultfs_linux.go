package faultfs

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Disk is a mounted file system. Its methods may be called by any goroutine.
type Disk struct {
	dir          string
	write, fsync atomic.Int32 // what fails with which error; 0 for none
}

// Mount mounts a new file system for the time of a test, which is skipped where that cannot be done.
func Mount(t testing.TB) *Disk {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Getuid() != 0 {
		t.Skip("SKIP: a disk that fails needs root and /dev/fuse")
	}
	d := &Disk{dir: t.TempDir()}
	root := &node{&fs.LoopbackNode{RootData: &fs.LoopbackRoot{Path: t.TempDir()}}, d}
	root.RootData.RootNode = root
	server, err := fs.Mount(d.dir, root, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMountStrict: true},
	})
	if err != nil {
		t.Skipf("SKIP: mount FUSE: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return d
}

// Dir returns the folder that the file system is mounted on.
func (d *Disk) Dir() string { return d.dir }

// FailWrites has all writes fail with errno from now on, none with 0.
func (d *Disk) FailWrites(errno syscall.Errno) { d.write.Store(int32(errno)) }

// FailSyncs has all syncs fail with errno from now on, none with 0. As kernels do, a sync that fails throws away what was
// written behind the end that the file had at the last one that did not: there are zeros then, and the next sync says
// that all is well.
func (d *Disk) FailSyncs(errno syscall.Errno) { d.fsync.Store(int32(errno)) }

type node struct {
	*fs.LoopbackNode
	disk *Disk
}

// WrapChild implements [fs.NodeWrapChilder].
func (n *node) WrapChild(_ context.Context, ops fs.InodeEmbedder) fs.InodeEmbedder {
	return &node{ops.(*fs.LoopbackNode), n.disk}
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	inode, h, fl, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return inode, n.wrap(h), fl | fuse.FOPEN_DIRECT_IO, errno
}

func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	h, fl, errno := n.LoopbackNode.Open(ctx, flags)
	return n.wrap(h), fl | fuse.FOPEN_DIRECT_IO, errno // what is read is what is there
}

func (n *node) wrap(h fs.FileHandle) fs.FileHandle {
	if f, ok := h.(*fs.LoopbackFile); ok {
		return &file{LoopbackFile: f, disk: n.disk}
	}
	return h
}

type file struct {
	*fs.LoopbackFile
	disk *Disk

	mu   sync.Mutex // guards safe, and what a sync does
	safe uint64     // how long the file was at the last sync
}

func (f *file) Write(ctx context.Context, b []byte, off int64) (uint32, syscall.Errno) {
	if errno := syscall.Errno(f.disk.write.Load()); errno != 0 {
		return 0, errno
	}
	return f.LoopbackFile.Write(ctx, b, off)
}

func (f *file) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	var now fuse.AttrOut
	if errno := f.Getattr(ctx, &now); errno != 0 {
		return errno
	}
	if errno := syscall.Errno(f.disk.fsync.Load()); errno != 0 {
		var cut fuse.SetAttrIn
		for _, size := range []uint64{min(f.safe, now.Size), now.Size} {
			cut.Valid, cut.Size = fuse.FATTR_SIZE, size
			if errno := f.Setattr(ctx, &cut, &now); errno != 0 {
				return errno
			}
		}
		return errno
	}
	f.safe = now.Size
	return f.LoopbackFile.Fsync(ctx, flags)
}

// PassthroughFd keeps the kernel from writing to the file below by itself.
func (f *file) PassthroughFd() (int, bool) { return -1, false }
