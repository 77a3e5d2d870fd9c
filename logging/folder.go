package logging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Operations in the folder, as they are named among the faults.
const (
	opNumber   = "numbering rotated files"
	opRemove   = "removing rotated files"
	opCompress = "compressing rotated files"
)

// folder is the folder of the log with what was rotated. Other logs and other programs may have files in it.
type folder struct {
	dir      string
	naming   naming
	keep     int           // rotated files
	age      time.Duration // 0: no bound
	compress bool
	faults   *faults
	now      func() time.Time // the date
	packing  chan struct{}    // has room for one: there are files to compress

	inUse atomic.Pointer[os.FileInfo] // the file that lines go to, which is not always that of its name

	mu sync.Mutex // held while files get other names
}

func newFolder(cfg Config, n naming, faults *faults) *folder {
	return &folder{
		dir: cfg.Dir, naming: n, keep: cfg.Rotate, age: cfg.Age, compress: cfg.Compress, faults: faults, now: cfg.now,
		packing: make(chan struct{}, 1),
	}
}

// run tidies up whenever there was a change, and every hour, since files grow old without one, until done is closed.
func (d *folder) run(changed, done <-chan struct{}) {
	hour := time.NewTicker(time.Hour)
	defer hour.Stop()
	for {
		select {
		case <-changed:
		case <-hour.C:
		case <-done:
			return
		}
		unlock, _ := d.lock()
		_ = d.tidy() // a fault is reported, and the next change is another try
		unlock()
		if d.compress {
			notify(d.packing)
		}
	}
}

// lock keeps goroutines, and other processes with the same log, from giving files other names. It returns false when it does not keep
// other processes from that: nothing is replaced then either, but a name may be that of another file the moment after.
func (d *folder) lock() (unlock func(), ok bool) {
	d.mu.Lock()
	others, ok := lockFolder(d.dir)
	return func() {
		others()
		d.mu.Unlock()
	}, ok
}

// path is where a part of the log is.
func (d *folder) path(p part) string { return filepath.Join(d.dir, d.naming.format(p)) }

// retireTries is how often the current file is tried to get the number 0, when another process with the same log takes that
// each time.
const retireTries = 10

// retire gives the current file the number 0.
func (d *folder) retire(p part) (zero string, err error) {
	current := d.path(p)
	p.number = 0
	zero = d.path(p)
	for range retireTries {
		err = renameNew(current, zero)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		// The file before it has not got its number yet.
		unlock, _ := d.lock()
		tidied := d.tidy()
		unlock()
		if tidied != nil {
			return "", tidied
		}
	}
	return zero, err
}

// entry is a file of the log.
type entry struct {
	part
	info os.FileInfo
	live bool // lines go to it, or may go to it
}

func samePart(a, b entry) bool { return a.part == b.part && os.SameFile(a.info, b.info) }

// list returns the log's files, the newest first. It is called with the lock.
func (d *folder) list() ([]entry, error) {
	dir, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	var entries []entry
	current := d.naming.current(d.now())
	inUse := d.inUse.Load()
	for _, e := range dir {
		p, ok := d.naming.parse(e.Name())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		// Not e.Info, whose identity of the file is not that of an open file on every system.
		info, err := os.Lstat(filepath.Join(d.dir, e.Name()))
		if err == nil && info.Mode().IsRegular() { // it may be gone meanwhile
			entries = append(entries, entry{p, info, p == current || inUse != nil && os.SameFile(info, *inUse)})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return older(a.part, b.part) })
	return entries, nil
}

// tidy removes what is too old or too much, and gives numbers to the files that were just rotated. It is called with the
// lock. As long as another process with the same log changes the folder meanwhile, it starts again.
func (d *folder) tidy() error {
	var before []entry
	for {
		entries, err := d.list()
		if err == nil {
			err = d.shift(d.prune(entries))
		}
		switch {
		case errors.Is(err, fs.ErrExist) && !slices.EqualFunc(entries, before, samePart):
			before = entries
		case err != nil && !errors.Is(err, fs.ErrNotExist): // without a folder there is nothing to do
			d.faults.failed(opNumber, err)
			return err
		default:
			d.faults.works(opNumber)
			return nil
		}
	}
}

// prune removes the files beyond the number that is kept, and those beyond their age. It returns what is left.
func (d *folder) prune(entries []entry) []entry {
	now := d.now()
	var left []entry
	failure := d.removeStale()
	rotated := 0
	for _, e := range entries {
		if e.live {
			left = append(left, e)
			continue
		}
		rotated++
		if rotated <= d.keep && (d.age == 0 || now.Sub(e.info.ModTime()) <= d.age) {
			left = append(left, e)
			continue
		}
		if err := os.Remove(d.path(e.part)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failure = err
			left = append(left, e)
		}
	}
	if failure != nil {
		d.faults.failed(opRemove, failure)
	} else {
		d.faults.works(opRemove)
	}
	return left
}

// shift gives the files with the number 0 the number 1, and makes room for them: every file up to the first free number
// gets the next one.
func (d *folder) shift(entries []entry) error {
	for i, zero := range entries {
		if zero.number != 0 {
			continue
		}
		end := i + 1 // the files from i to end are numbered 0, 1, 2, …
		for end < len(entries) && entries[end].date == zero.date && entries[end].number <= entries[end-1].number+1 {
			end++
		}
		for j := end - 1; j >= i; j-- {
			p := entries[j].part
			p.number++
			err := renameNew(d.path(entries[j].part), d.path(p))
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // another process may have removed it
				return err
			}
		}
	}
	return nil
}
