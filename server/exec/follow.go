package exec

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/rest"
)

// cutHeader says how many bytes of output are not there: as a header when the command has ended, else as a trailer.
const cutHeader = "X-Truncated-Bytes"

// WriteOutput answers with the output of a task from an offset on: what is there, or, to follow it, all until the end. A client
// that reads slowly stops nobody: the output is kept meanwhile.
func (c *Commands) WriteOutput(w http.ResponseWriter, r *http.Request, t *Task, from int64, follow bool) {
	s := t.State()
	if from > s.Size && !(follow && s.Running) {
		rest.Errorf(http.StatusRequestedRangeNotSatisfiable, "bad param: offset: the output has %d bytes", s.Size).Write(w)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/plain; charset=utf-8")
	head.Set("X-Content-Type-Options", "nosniff") // the bytes are the agent's
	head.Set("Cache-Control", "no-store")
	if follow && s.Running {
		head.Set("Trailer", cutHeader)
		c.follow(w, r, t, from)
		return
	}
	if s.Cut > 0 {
		head.Set(cutHeader, strconv.FormatInt(s.Cut, 10))
	}
	head.Set("Content-Length", strconv.FormatInt(s.Size-from, 10))
	if copyOutput(r.Context(), w, t, from, s.Size) != nil {
		panic(http.ErrAbortHandler) // the client must not take it for all
	}
}

// follow writes the output as it comes.
func (c *Commands) follow(w http.ResponseWriter, r *http.Request, t *Task, from int64) {
	ctx, cancel := context.WithCancel(r.Context())
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		select {
		case <-c.stopping:
			cancel()
		case <-ctx.Done():
		}
	})
	if copyOutput(ctx, w, t, from, -1) != nil {
		panic(http.ErrAbortHandler) // the client must not take it for all
	}
	w.Header().Set(cutHeader, strconv.FormatInt(t.State().Cut, 10))
}

// copyOutput writes the output from an offset to another, or to its end for -1. What is there is flushed at once.
func copyOutput(ctx context.Context, w http.ResponseWriter, t *Task, from, to int64) error {
	rc := http.NewResponseController(w)
	if to < 0 {
		_ = rc.Flush() // so that a client knows that it is followed
	}
	rd := t.Output(from)
	buf := make([]byte, 32<<10)
	for to < 0 || rd.Offset() < to {
		p := buf
		if to >= 0 {
			p = buf[:min(int64(len(buf)), to-rd.Offset())]
		}
		n, err := rd.ReadContext(ctx, p)
		if n > 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(answerTime))
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
			if to < 0 {
				if err := rc.Flush(); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
