package hostfile

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

const nonBlocking = 0

// ids says that files have none.
func ids(fs.FileInfo) (uid, gid uint32, ok bool) { return 0, 0, false }

func removed(fs.FileInfo) bool { return false }

// farByte is one that is locked for the whole file: locks of Windows keep others from reading and writing what they cover.
const farByte = 0x7fffffff

// lock keeps a file for whoever has it open first. That it is open alone does not: os.Root lets others remove it.
func lock(f *os.File) bool {
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: farByte}) == nil
}

// syncFolder does nothing: a rename is written at once.
func syncFolder(*os.Root) error { return nil }
