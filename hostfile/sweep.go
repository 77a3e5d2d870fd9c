package hostfile

import (
	"os"
	"slices"
	"strings"
	"time"
)

// mostLooked is how many names of a folder are looked at for what a killed program has left.
const mostLooked = 1000

// settled is how old a temporary file is at least that nobody writes to any more.
const settled = time.Minute

// sweep removes temporary files of a program that was killed. Those that are written to are locked.
func sweep(dir *os.Root) {
	f, err := dir.Open(".")
	if err != nil {
		return
	}
	defer f.Close()
	entries, _ := f.ReadDir(mostLooked) // what cannot be read is not swept
	for _, d := range entries {
		if !strings.HasPrefix(d.Name(), tempPrefix) || !strings.HasSuffix(d.Name(), tempSuffix) || !d.Type().IsRegular() {
			continue
		}
		if info, err := dir.Lstat(d.Name()); err == nil && time.Since(info.ModTime()) > settled {
			removeUnlocked(dir, d.Name())
		}
	}
}

func removeUnlocked(dir *os.Root, name string) {
	f, err := dir.OpenFile(name, os.O_WRONLY|nonBlocking, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if lock(f) {
		_ = dir.Remove(name) // the next one tries again
	}
}

func sortByName(list []Entry) {
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
}
