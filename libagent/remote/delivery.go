package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/process"
	"github.com/jkstack/jkframe/v2/wire"
)

const (
	// pieceSize is how many bytes of output are sent at once.
	pieceSize = 32 << 10

	// rewind is how many bytes of output are sent again after a reconnect: more than the systems of both ends hold of what was
	// written and has not arrived.
	rewind = 16 << 20

	// keepTime is how long after its end a command is known for that: a connection that has gone is noticed within half of it.
	keepTime = time.Minute

	// maxKept is of how many commands that have ended the output is kept for that.
	maxKept = 64
)

// delivery is what the server is told of a command that runs or has ended. To a server of ours, what was on its way when a
// connection was lost is sent again over the next one.
type delivery struct {
	svc    *Service
	detail bool
	start  wire.ExecdPayload
	out    *l2cache.Buffer

	ended  chan struct{} // closed when result is there, and the last of the output
	result process.Result
}

// send tells of the start, the output from a place on, and the end. With another connection in the middle it begins again; it
// returns the link that it has ended with.
func (d *delivery) send(t *libagent.Task, at int64) (context.Context, error) {
	for {
		link := d.svc.currentLink()
		if !d.detail {
			link = context.Background() // to other servers nothing is sent twice
		}
		if err := libagent.Reply(t, wire.Execd, d.start); err != nil {
			return link, err
		}
		to, err := d.output(link, t, at)
		if err == nil {
			return link, d.finish(t, to)
		}
		if link.Err() == nil {
			return link, err
		}
		at = max(0, to-rewind)
	}
}

// output sends the output until its end or that of the connection, and returns how far it came.
func (d *delivery) output(link context.Context, t *libagent.Task, at int64) (int64, error) {
	buf := make([]byte, pieceSize)
	for r := d.out.Reader(at); ; {
		n, err := r.ReadContext(link, buf)
		if n > 0 {
			if err := d.piece(t, at, buf[:n]); err != nil {
				return at, err
			}
			at += int64(n)
		}
		if link.Err() != nil {
			return at, context.Cause(link)
		}
		if errors.Is(err, io.EOF) {
			return at, nil
		}
		if err != nil {
			return at, err
		}
	}
}

// piece sends some output.
func (d *delivery) piece(t *libagent.Task, at int64, b []byte) error {
	p := wire.ExecDataPayload{Data: b}
	if d.detail {
		offset := uint64(at)
		p.Offset = &offset
	}
	return libagent.Reply(t, wire.ExecData, p)
}

// finish tells of the end.
func (d *delivery) finish(t *libagent.Task, at int64) error {
	<-d.ended
	cut := d.out.Stats().Discarded
	if cut > 0 {
		mark := fmt.Appendf(nil, "\n[%d bytes of output are left out]\n", cut)
		if err := d.piece(t, at, mark); err != nil {
			return err
		}
		at += int64(len(mark))
	}
	p := wire.ExecDonePayload{Code: d.result.Code, Time: d.result.End}
	if d.result.Reason != process.Itself {
		p.Code = -1
	}
	if d.detail {
		p.Why, p.Signal, p.Cut, p.Size = string(d.result.Reason), d.result.Signal, uint64(cut), uint64(at)
	}
	return libagent.Reply(t, wire.ExecDone, p)
}

// link is the connection, as far as deliveries need to know of it.
type link struct {
	ctx    context.Context // ends when there is another connection
	cancel context.CancelFunc
	up     bool
	lost   time.Time // when the last one had ended
}

// renew notes another connection.
func (l *link) renew() {
	if l.cancel != nil {
		l.cancel()
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
}

// currentLink is a context that ends when there is another connection.
func (s *Service) currentLink() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link.ctx
}

// keptDelivery is a command that has ended, and may have to be told of once more.
type keptDelivery struct {
	task string
	*delivery
	at time.Time
}

// keepEnded keeps what a server of ours may not have got, and lets go of the rest.
func (s *Service) keepEnded(task string, d *delivery) keptDelivery {
	k := keptDelivery{task, d, time.Now()}
	if !d.detail {
		_ = d.out.Close() // nothing of it is needed
		return k
	}
	_ = d.out.Truncate(max(0, d.out.Stats().End-rewind)) // what is before that has arrived, and others need the room
	s.mu.Lock()
	s.kept = append(s.kept, k)
	var old []keptDelivery
	if n := len(s.kept) - maxKept; n > 0 {
		old = slices.Clone(s.kept[:n])
		s.kept = slices.Delete(s.kept, 0, n)
	}
	s.mu.Unlock()
	for _, k := range old {
		_ = k.out.Close()
	}
	return k
}

// forget lets go of what is kept and wanted no more.
func (s *Service) forget(unwanted func(keptDelivery) bool) {
	s.mu.Lock()
	var old []keptDelivery
	s.kept = slices.DeleteFunc(s.kept, func(k keptDelivery) bool {
		if !unwanted(k) {
			return false
		}
		old = append(old, k)
		return true
	})
	s.mu.Unlock()
	for _, k := range old {
		_ = k.out.Close()
	}
}

// forgetOld lets go of what has arrived by now.
func (s *Service) forgetOld(context.Context, *libagent.Agent) error {
	s.mu.Lock()
	up := s.link.up
	s.mu.Unlock()
	if up {
		s.forget(func(k keptDelivery) bool { return time.Since(k.at) > keepTime })
	}
	return nil
}

// connected sends again what may have been lost with the last connection.
func (s *Service) connected(ctx context.Context) {
	s.mu.Lock()
	again := slices.Clone(s.kept)
	lost := s.link.lost
	s.link.renew()
	s.link.up = true
	s.mu.Unlock()
	for _, k := range again {
		if k.at.Before(lost.Add(-keepTime)) || ctx.Err() != nil {
			continue
		}
		if err := s.tellAgain(k); err != nil {
			s.ag.Logger().Warn("the end of a command is not told again", "task", k.task, "error", err)
		}
	}
	<-ctx.Done()
	s.mu.Lock()
	s.link.up, s.link.lost = false, time.Now()
	s.mu.Unlock()
}

func (s *Service) tellAgain(k keptDelivery) error {
	t, err := libagent.Resume(s.ag, k.task, wire.Exec.Name())
	if err != nil {
		return err
	}
	defer t.Close()
	_, err = k.send(t, max(0, k.out.Stats().End-rewind))
	return err
}
