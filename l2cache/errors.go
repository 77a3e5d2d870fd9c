package l2cache

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned by calls to what has been closed.
	ErrClosed = errors.New("closed")
	// ErrFull is returned when there is no room and none is waited for.
	ErrFull = errors.New("full")
	// ErrTooBig is returned for what would not fit even if there were nothing else.
	ErrTooBig = errors.New("larger than the bound")
	// ErrLocked is returned when the folder is in use, by this process or another one.
	ErrLocked = errors.New("in use already")
	// ErrGone is returned for what has been given back or dropped, and when files or their folder were removed by somebody else.
	ErrGone = errors.New("not there any more")
	// ErrAhead is returned when more is acknowledged or given back than has been put.
	ErrAhead = errors.New("beyond the end")
	// ErrDamaged is returned for bytes of a [Buffer] that come back from the disk other than they went there.
	ErrDamaged = errors.New("not as it was written")
)

// errPassed is ErrGone, for what was given back or dropped.
var errPassed = fmt.Errorf("%w", ErrGone)

// LostError says which bytes of a [Buffer] cannot be read any more, since somebody has changed its file: those from the offset
// From to before To, at least. Err is [ErrDamaged] or [ErrGone], with the file. Who can do without them goes on at To.
type LostError struct {
	From, To int64
	Err      error
}

func (e *LostError) Error() string { return fmt.Sprintf("bytes %d to %d: %v", e.From, e.To-1, e.Err) }

// Unwrap returns Err.
func (e *LostError) Unwrap() error { return e.Err }

// wrap says what failed, and where.
func wrap(what, where string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %q: %w", what, where, err)
}
