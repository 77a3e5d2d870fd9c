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
	names, _ := f.Readdirnames(mostLooked) // what cannot be read is not swept
	for _, name := range names {
		if !strings.HasPrefix(name, tempPrefix) || !strings.HasSuffix(name, tempSuffix) {
			continue
		}
		if info, err := dir.Lstat(name); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > settled {
			removeUnlocked(dir, name)
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
