package libagent

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a file must have been left alone before it is read: an editor takes several steps to write it.
	settle = 500 * time.Millisecond

	// maxSettle is how long a file that is never left alone is waited for.
	maxSettle = 10 * settle

	// lookAgain is when a folder that could not be watched is tried again.
	lookAgain = 5 * time.Second

	// maxLinks is how many symbolic links may lead to a file.
	maxLinks = 40
)

// fileWatch tells when a file may have changed. It watches folders, not the file: editors put a new file in place of the
// old one, and what mounts configs swaps a symbolic link above it.
type fileWatch struct {
	changed <-chan struct{} // has one when the file may have changed

	file    string
	watcher *fsnotify.Watcher
	out     chan<- struct{}
	stop    chan struct{}
	ended   sync.WaitGroup
}

// watchFile watches a file until close.
func watchFile(file string) (*fileWatch, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	w := &fileWatch{file: file, stop: make(chan struct{})}
	if w.watcher, err = fsnotify.NewWatcher(); err != nil {
		return nil, err
	}
	if err := w.follow(); err != nil {
		_ = w.watcher.Close()
		return nil, err
	}
	changed := make(chan struct{}, 1)
	w.changed, w.out = changed, changed
	w.ended.Go(w.run)
	return w, nil
}

func (w *fileWatch) close() {
	close(w.stop)
	w.ended.Wait()
}

// run gathers what happens in the folders into one message, until close.
func (w *fileWatch) run() {
	defer func() { _ = w.watcher.Close() }() // its error would be that it is closed
	var again <-chan time.Time
	first, quiet := time.Now(), time.After(settle) // since when something changes; it may have before the watch began
	for {
		select {
		case e, ok := <-w.watcher.Events:
			if !ok {
				return
			}
			if e.Has(fsnotify.Chmod) && e.Op&^fsnotify.Chmod == 0 {
				continue
			}
		case _, ok := <-w.watcher.Errors: // such as too many events at once: some are missing
			if !ok {
				return
			}
		case <-again:
		case <-quiet:
			quiet, first, again = nil, time.Time{}, nil
			if w.follow() != nil {
				again = time.After(lookAgain)
			}
			select {
			case w.out <- struct{}{}:
			default: // it is about to be looked at
			}
			continue
		case <-w.stop:
			return
		}
		if first.IsZero() {
			first = time.Now()
		}
		if time.Since(first) < maxSettle {
			quiet = time.After(settle)
		}
	}
}

// follow watches the folders that lead to the file now, and no others.
func (w *fileWatch) follow() error {
	folders := linkFolders(w.file)
	for _, old := range w.watcher.WatchList() {
		if !folders[old] {
			_ = w.watcher.Remove(old) // it may be gone, and with it the watch
		}
	}
	var failed error
	for f := range folders {
		if err := w.watcher.Add(f); err != nil {
			failed = err
		}
	}
	return failed
}

// linkFolders returns the folders in which something decides what a path leads to: that of the file, and those of all
// symbolic links on the way to it.
func linkFolders(path string) map[string]bool {
	folders := make(map[string]bool)
	for range maxLinks {
		link := firstLink(path)
		if link == "" {
			break
		}
		folders[filepath.Dir(link)] = true
		target, err := os.Readlink(link)
		if err != nil {
			break // it is being swapped: its folder is watched
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		path = filepath.Join(target, strings.TrimPrefix(path, link))
	}
	folders[filepath.Dir(path)] = true
	return folders
}

// firstLink returns the shortest beginning of a path that is a symbolic link, "" if there is none.
func firstLink(path string) string {
	for at := len(filepath.VolumeName(path)) + 1; at <= len(path); at++ {
		if at < len(path) && !os.IsPathSeparator(path[at]) {
			continue
		}
		if info, err := os.Lstat(path[:at]); err == nil && info.Mode()&os.ModeSymlink != 0 {
			return path[:at]
		}
	}
	return ""
}

// fileSum tells one content of a file from another. A file that cannot be read has the text of its error.
type fileSum [sha256.Size]byte

func sumOf(file string) fileSum {
	data, err := os.ReadFile(file)
	if err != nil {
		return sha256.Sum256([]byte(err.Error()))
	}
	return sha256.Sum256(data)
}

// noteFile remembers the content of the config file as one that is known.
func (ag *Agent) noteFile() {
	sum := sumOf(ag.file)
	ag.mu.Lock()
	defer ag.mu.Unlock()
	ag.fileSum = sum
}

// editFile has the config file edited. What it holds then is known, unless somebody has changed it in the meantime.
func (ag *Agent) editFile(edit func() error) error {
	ag.editing.Lock()
	defer ag.editing.Unlock()
	known := !ag.fileChanged()
	if err := edit(); err != nil {
		return err
	}
	if known {
		ag.noteFile()
	}
	return nil
}

// fileChanged tells whether the config file holds something else than when it was last read or written by the agent.
func (ag *Agent) fileChanged() bool {
	sum := sumOf(ag.file)
	ag.mu.Lock()
	defer ag.mu.Unlock()
	return ag.fileSum != sum
}
