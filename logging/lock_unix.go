//go:build unix && !aix && !solaris

package logging

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockFolder keeps other processes with a log in the folder from giving files other names, until unlock is called. It returns false
// when one of them does that for too long, as one that was stopped in the middle does. Where there are no locks for folders, it
// keeps nobody.
func lockFolder(dir string) (unlock func(), ok bool) {
	const patience, every = 100 * time.Millisecond, time.Millisecond
	f, err := os.Open(dir)
	if err != nil {
		return func() {}, true
	}
	unlock = func() { f.Close() }
	for waited := time.Duration(0); ; waited += every {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == unix.EWOULDBLOCK && waited < patience:
			time.Sleep(every)
		case err == unix.EWOULDBLOCK:
			return unlock, false
		case err != unix.EINTR:
			return unlock, true
		}
	}
}
