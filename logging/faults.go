package logging

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// probe is how long a target that failed is left alone, and how old the knowledge may be that the open file is still the
// one of its path.
const probe = 100 * time.Millisecond

// quiet is how long a fault that ended and came back the same is not shown again.
const quiet = time.Minute

// faults knows what does not work at the moment, and shows each such fault on standard error when it begins.
type faults struct {
	encoder encoder

	mu     sync.Mutex // guards the fields below
	stderr io.Writer
	own    *os.File // what was opened for stderr, or nil
	active map[string]error
	shown  map[string]shown
	count  uint64
}

// shown is what was shown last of an operation.
type shown struct {
	text string
	at   time.Time
}

func newFaults(stderr io.Writer) *faults {
	f := &faults{stderr: stderr, active: map[string]error{}, shown: map[string]shown{}}
	if f.own = ownStream(stderr); f.own != nil {
		f.stderr = f.own
	}
	return f
}

// failed counts a failure of op, and shows it when it is the first since op worked.
func (f *faults) failed(op string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	_, known := f.active[op]
	f.active[op] = err
	last := f.shown[op]
	if known || last.text == err.Error() && time.Since(last.at) < quiet {
		return
	}
	f.shown[op] = shown{err.Error(), time.Now()}
	r := slog.NewRecord(time.Now(), slog.LevelError, op+" fails", 0)
	r.AddAttrs(slog.Any("err", err))
	_, _ = f.stderr.Write(f.encoder.text(nil, &scope{}, &r)) // nobody is left to tell when this fails
}

// works says that op works again.
func (f *faults) works(op string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.active, op)
}

// err joins what does not work now.
func (f *faults) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, op := range slices.Sorted(maps.Keys(f.active)) {
		errs = append(errs, fmt.Errorf("%s: %w", op, f.active[op]))
	}
	return errors.Join(errs...)
}

// close shows later faults nowhere.
func (f *faults) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.own
	f.stderr, f.own = io.Discard, nil
	if own == nil {
		return nil
	}
	return own.Close()
}

func (f *faults) total() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// loss counts the lines that a target did not take.
type loss struct {
	total uint64    // since Open
	gap   uint64    // since the last line that it took
	since time.Time // the first line of the gap
	cause error     // why the last one was lost
}

func (l *loss) add(lines uint64, cause error) {
	if l.gap == 0 {
		l.since = time.Now()
	}
	l.total += lines
	l.gap += lines
	l.cause = cause
}

// gapLine renders the line that stands where lines are missing.
type gapLine func(lost uint64, since time.Time, cause error) []byte
