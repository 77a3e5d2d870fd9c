//go:build !linux

package l2cache

import "os"

// punch would give the space of a part of a file back: here it is kept until the file ends before it.
func punch(*os.File, int64, int64) {}
