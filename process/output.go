package process

import (
	"errors"
	"io"
	"os"
	"time"
)

const (
	// linger is how long output is waited for that somebody else holds after the command has ended: what the last members of a
	// pipeline still write comes within it.
	linger = 250 * time.Millisecond

	// quiet is how long the end of a line is waited for before what is there is taken for text.
	quiet = 50 * time.Millisecond

	// outputBuffer is how many bytes are read at once.
	outputBuffer = 32 << 10

	// mostDrained bounds what is read of a pipe that is never empty: no pipe holds more.
	mostDrained = 1 << 20
)

// output reads what a command writes.
type output struct {
	src  *os.File
	text *Text     // nil for bytes
	w    io.Writer // nil to drop all
	err  error     // of w; set by the goroutine that copies
}

func newOutput(src *os.File, c *Command) *output {
	o := &output{src: src, w: c.Output}
	if c.Text && c.Output != nil {
		o.text = NewText(c.Output)
		o.w = o.text
	}
	return o
}

// copy reads to the end of the output, or, when somebody else holds it open, until the command has exited and a moment has
// passed; everything that the command itself has written has been read then.
func (o *output) copy(exited <-chan struct{}) {
	buf := make([]byte, outputBuffer)
	var last time.Time // when to read no more
	for {
		var until time.Time
		if o.text.pending() {
			until = time.Now().Add(quiet)
		}
		if !last.IsZero() && (until.IsZero() || last.Before(until)) {
			until = last
		}
		n, err := readUntil(o.src, buf, until, last.IsZero(), exited)
		o.put(buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			o.flush(false)
			if last.IsZero() && isClosed(exited) {
				last = time.Now().Add(linger)
			} else if !last.IsZero() && !time.Now().Before(last) {
				o.drain(buf)
				o.flush(true)
				return
			}
		case err != nil: // the end; on a terminal it is an error
			o.flush(true)
			return
		}
	}
}

// drain reads what is there.
func (o *output) drain(buf []byte) {
	for total := 0; total < mostDrained; {
		n := readNow(o.src, buf)
		if n == 0 {
			return
		}
		o.put(buf[:n])
		total += n
	}
}

// put gives bytes to the reader of the output; after his first error no more.
func (o *output) put(b []byte) {
	if o.w == nil || o.err != nil || len(b) == 0 {
		return
	}
	_, o.err = o.w.Write(b)
}

// flush gives text to the reader of the output that waited for the end of its line; final also gives the half of a character.
func (o *output) flush(final bool) {
	if o.text == nil || o.err != nil {
		return
	}
	if final {
		o.err = o.text.Close()
	} else {
		o.err = o.text.Flush()
	}
}

// wake has copy look whether the command has exited.
func (o *output) wake() { wake(o.src) }

func (o *output) close() { _ = o.src.Close() }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
