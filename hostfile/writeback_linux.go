package hostfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeback has the kernel begin to write a part of a file to the disk. What goes wrong is seen by Sync.
func writeback(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}
