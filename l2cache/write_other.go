//go:build !linux

package l2cache

import "os"

// writeAt writes p at an offset.
func writeAt(f *os.File, _ uintptr, p []byte, off int64) error {
	_, err := f.WriteAt(p, off)
	return err
}

// writePartsAt writes the parts one after the other.
func writePartsAt(f *os.File, fd uintptr, parts [][]byte, off int64) error {
	for _, p := range parts {
		if err := writeAt(f, fd, p, off); err != nil {
			return err
		}
		off += int64(len(p))
	}
	return nil
}

// syncFile puts what is in a file on the disk.
func syncFile(f *os.File, _ uintptr) error { return f.Sync() }
