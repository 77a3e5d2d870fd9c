package logging

import (
	"io"
	"os"
	"sync"
	"time"
)

// opStdout names the target among the faults.
const opStdout = "logging to standard output"

// stream is TargetStdout.
type stream struct {
	faults *faults
	gap    gapLine
	colour bool

	mu     sync.Mutex // guards the fields below
	w      io.Writer  // nil when closed
	own    *os.File   // what was opened for w, or nil
	failed bool
	retry  time.Time // when a failed w is tried again
	loss   loss
	line   []byte // for coloured lines
}

func newStream(w io.Writer, text bool, faults *faults, gap gapLine) *stream {
	s := &stream{w: w, faults: faults, gap: gap}
	if f, ok := w.(*os.File); ok {
		s.colour = text && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(f)
	}
	if s.own = ownStream(w); s.own != nil {
		s.w = s.own
	}
	return s
}

// write writes a line. It waits as long as the reader of standard output makes it wait.
func (s *stream) write(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil || s.failed && time.Now().Before(s.retry) {
		s.loss.add(1, s.loss.cause)
		return
	}
	if s.loss.gap > 0 && !s.put(s.gap(s.loss.gap, s.loss.since, s.loss.cause)) || !s.put(line) {
		s.loss.add(1, s.loss.cause)
	}
}

// put writes a line and keeps the books. It is called with the lock.
func (s *stream) put(line []byte) bool {
	if s.colour {
		if cap(s.line) > maxPooled {
			s.line = nil
		}
		s.line = appendColoured(s.line[:0], line)
		line = s.line
	}
	if _, err := s.w.Write(line); err != nil {
		s.faults.failed(opStdout, err)
		s.failed, s.retry, s.loss.cause = true, time.Now().Add(probe), err
		return false
	}
	if s.failed {
		s.failed, s.loss.gap = false, 0
		s.faults.works(opStdout)
	}
	return true
}

func (s *stream) addStats(st *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Lost += s.loss.total
}

func (s *stream) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.own
	s.w, s.own = nil, nil
	if own == nil {
		return nil
	}
	return own.Close()
}
