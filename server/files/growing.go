package files

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/wire"
)

// growing is a content that goes to an agent while it comes, and the order as it is in the end.
type growing struct {
	*form.Stream
	recorded func() error  // waits until the order that was sent is in the audit log; see [server.Late]
	turn     chan struct{} // its holder serves, has room for one

	mu      sync.Mutex // guards the fields below
	stop    func()     // has who serves end soon; nil if nobody does
	settled *wire.UploadRequest
}

func newGrowing(s *form.Stream, recorded func() error) *growing {
	return &growing{Stream: s, recorded: recorded, turn: make(chan struct{}, 1)}
}

// settle says what is ordered in the end.
func (g *growing) settle(q *wire.UploadRequest) {
	g.mu.Lock()
	g.settled = q
	g.mu.Unlock()
	g.Settle(nil)
}

// order is what is ordered in the end, nil before.
func (g *growing) order() *wire.UploadRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.settled
}

// enter waits until nobody else serves: another fetch is one whose connection the agent has given up.
func (g *growing) enter(ctx context.Context, stop func()) error {
	g.mu.Lock()
	old := g.stop
	g.mu.Unlock()
	if old != nil {
		old()
	}
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	g.mu.Lock()
	g.stop = stop
	g.mu.Unlock()
	return nil
}

func (g *growing) leave() {
	g.mu.Lock()
	g.stop = nil
	g.mu.Unlock()
	<-g.turn
}

// serve gives an agent what follows an offset, before which it has all for good.
func (g *growing) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	from := int64(0)
	if text := r.Header.Get(offsetHeader); text != "" {
		var err error
		if from, err = strconv.ParseInt(text, 10, 64); err != nil {
			http.Error(w, offsetHeader+": "+strconv.Quote(clip(text)), http.StatusBadRequest)
			return
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rc := http.NewResponseController(w)
	if err := g.enter(ctx, func() { cancel(); _ = rc.SetWriteDeadline(time.Now()) }); err != nil {
		http.Error(w, err.Error(), http.StatusGone)
		return
	}
	defer g.leave()
	if err := g.Took(from); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set(offsetHeader, strconv.FormatInt(from, 10))
	var end wire.UploadEnd
	switch err := g.copyTo(ctx, w, from); {
	case errors.Is(err, form.ErrMore):
		end.More = true
	case err == io.EOF:
		if g.recorded() == nil {
			end.Order = g.order()
		}
	case ctx.Err() != nil:
		panic(http.ErrAbortHandler) // the agent must not take this for the end
	}
	text, err := json.Marshal(end)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(append(make([]byte, 4), text...)) // an agent that is gone comes again
}

// copyTo writes pieces until there are no more, which it says as [form.Stream.Next] does.
func (g *growing) copyTo(ctx context.Context, w io.Writer, at int64) error {
	var length [4]byte
	for {
		p, err := g.Next(ctx, at)
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint32(length[:], uint32(len(p)))
		if _, err := w.Write(length[:]); err != nil {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(p); err != nil {
			panic(http.ErrAbortHandler)
		}
		at += int64(len(p))
	}
}
