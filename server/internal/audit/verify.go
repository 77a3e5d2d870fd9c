package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Report is what [Verify] has found.
type Report struct {
	First, Last uint64 // numbers of the first and the last line; what is before First was removed by size or age
	Hash        string // of the last line
	Lines       int
	Inbox       int // lines that wait for the server
}

// BrokenError is the place where the chain is broken: what stands there, or before it, was changed.
type BrokenError struct {
	File string
	Line int // of the file, from 1
	Err  error
}

func (e *BrokenError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *BrokenError) Unwrap() error { return e.Err }

// Mark is a line that somebody has kept elsewhere: it must be in the log, or have been removed by size or age.
type Mark struct {
	Seq  uint64
	Hash string
}

// Verify checks the whole chain, and the marks. An error is a [*BrokenError], or one of reading.
func Verify(dir string, marks ...Mark) (Report, error) {
	var r Report
	names, err := files(dir)
	if err != nil {
		return r, err
	}
	for _, name := range names {
		if err := r.file(name, marks); err != nil {
			return r, err
		}
	}
	for _, m := range marks {
		if m.Seq > r.Last {
			return r, fmt.Errorf("line %d is not there: the log ends with line %d", m.Seq, r.Last)
		}
	}
	waiting, err := inbox(dir)
	r.Inbox = len(waiting)
	return r, err
}

// file checks one file, which goes on where the last one has ended.
func (r *Report) file(name string, marks []Mark) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			return nil
		case err == io.EOF:
			return &BrokenError{name, n, errors.New("the last line is cut; a server that starts removes what a crash has left")}
		case err != nil:
			return err
		}
		if err := r.line(bytes.TrimSuffix(line, []byte("\n")), marks); err != nil {
			return &BrokenError{name, n, err}
		}
	}
}

func (r *Report) line(line []byte, marks []Mark) error {
	e, err := parseLine(line)
	if err != nil {
		return err
	}
	switch {
	case r.Lines == 0:
		r.First = e.Seq
		if e.Seq == 1 && e.Prev != "" {
			return errors.New("the first line names one before it")
		}
	case e.Seq != r.Last+1:
		return fmt.Errorf("line %d follows line %d", e.Seq, r.Last)
	case e.Prev != r.Hash:
		return fmt.Errorf("line %d does not follow the line before it: that one was changed, or is another one", e.Seq)
	}
	for _, m := range marks {
		if m.Seq == e.Seq && m.Hash != e.Hash {
			return fmt.Errorf("line %d is not the one that was kept: its hash is %s", e.Seq, e.Hash)
		}
	}
	r.Last, r.Hash = e.Seq, e.Hash
	r.Lines++
	return nil
}
