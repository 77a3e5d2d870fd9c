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
	// ErrAhead is returned when more is acknowledged than has been put.
	ErrAhead = errors.New("beyond the last record")
)

// wrap says what failed, and where.
func wrap(what, where string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %q: %w", what, where, err)
}
