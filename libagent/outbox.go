package libagent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	crand "crypto/rand"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// What one write takes from the outbox at most, so that control frames need not wait long and buffers stay small.
const (
	batchBytes  = 64 << 10
	batchFrames = 256
)

// outboxWindow is how many bytes of a lane may be on their way to the journal: what is beyond would wait there.
const outboxWindow = 1 << 20

// maxFailures is on how many connections a large message may fail to be sent before it is given up: the peer does not take it,
// and nothing behind it would ever be sent.
const maxFailures = 5

// maxEmit is the longest frame that can be emitted: it must be taken with its place in front.
const maxEmit = maxFrame - wire.MaxPlace

// maxLosses is how many losses of a lane are remembered.
const maxLosses = 64

var laneNames = [2]string{conn.Control: "control", conn.Bulk: "bulk"}

// outbox holds what the agent has to send. Replies are in memory until they are written: whoever has asked has gone when the
// connection has. What was emitted is kept, in memory or in a folder, until the server has it in its journal, or until it is
// written to a server without one. Of some kinds only the newest message is kept, in memory.
type outbox struct {
	log    *slog.Logger
	dir    string // "" for memory alone
	memory *memory
	newest *newest
	lanes  [2]*lane

	dropped atomic.Uint64 // messages that nobody will get

	lossMu sync.Mutex // guards lane.lost; nothing else is locked under it

	mu    sync.Mutex // guards what follows, and all streams of the lanes
	saved bool       // the ledger is on the disk as it is here
	acks  bool       // the server of this connection has a journal
	moved chan struct{}
	links uint64 // streams that were opened on any connection
}

// lane is what was emitted for one lane of the connection.
type lane struct {
	number  conn.Lane
	store   store
	wake    chan struct{} // has room for one: there may be something to send
	streams []*stream     // the oldest first; the last one grows

	lost []l2cache.Loss // the latest losses of the disk, to say why messages are missing; guarded by outbox.lossMu

	// What a server may never take; of the goroutine that sends.
	tried   uint64 // sequence of a message that was sent and not taken
	times   int    // on so many connections
	refused uint64 // sequence of a message that is not sent any more
}

// openOutbox opens the outbox. A folder that another process uses, or that cannot be used at all, is an error.
func openOutbox(cfg OutboxConfig, log *slog.Logger) (*outbox, error) {
	o := &outbox{
		log: log, dir: cfg.Dir, memory: newMemory(int(min(cfg.Memory, 1<<30))), newest: newNewest(), saved: true,
		moved: make(chan struct{}),
	}
	for l := range o.lanes {
		o.lanes[l] = &lane{number: conn.Lane(l), wake: make(chan struct{}, 1)}
	}
	if o.dir == "" {
		for l, q := range o.lanes {
			q.store = &inMemory{o.memory, conn.Lane(l)}
			var run runID
			crand.Read(run[:]) // never fails
			q.streams = []*stream{newStream(span{Run: run, Origin: run, First: 1}, true)}
		}
		return o, nil
	}
	if err := o.openFolder(cfg); err != nil {
		o.close()
		return nil, fmt.Errorf("outbox.dir: %w", err)
	}
	return o, nil
}

// openFolder finds what earlier runs have left, and begins a new one.
func (o *outbox) openFolder(cfg OutboxConfig) error {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	stores := [2]*onDisk{}
	for l, q := range o.lanes {
		var err error
		if stores[l], err = newOnDisk(o.dir, q.number, cfg, func(loss l2cache.Loss) { o.noteLoss(q.number, loss) }); err != nil {
			return err
		}
		q.store = stores[l]
	}
	known, err := loadLedger(o.dir) // after the queues: their lock keeps others away
	if err != nil {
		o.log.Error("outbox: without its ledger; what is on the disk is sent", "error", err)
	}
	waiting := uint64(0)
	for l, q := range o.lanes {
		queue := stores[l].queue
		first, next := q.store.bounds()
		for _, s := range closeRuns(known.Lanes[l], queue.Runs(), first, next) {
			q.streams = append(q.streams, newStream(s, false))
		}
		run := runID(queue.Run())
		q.streams = append(q.streams, newStream(span{Run: run, Origin: run, First: next}, true))
		for _, s := range q.streams {
			s.acked = max(s.acked, min(first-1, s.Last))
			s.taken = s.acked
		}
		waiting += next - first
	}
	if err := o.saveLedger(); err != nil {
		o.log.Error("outbox: nothing can be emitted until its folder can be written", "error", err)
	}
	if waiting > 0 {
		o.log.Info("outbox: found what is still to be sent", "messages", waiting)
	}
	return nil
}

// saveLedger puts the runs of all lanes on the disk. The caller holds o.mu, or is the only one.
func (o *outbox) saveLedger() error {
	o.saved = o.dir == ""
	if o.saved {
		return nil
	}
	var l ledger
	for i, q := range o.lanes {
		for _, s := range q.streams {
			of := s.span
			if s.live {
				of.Last = 0
			}
			l.Lanes[i] = append(l.Lanes[i], of)
		}
	}
	err := l.save(o.dir)
	o.saved = err == nil
	return err
}

// ready makes sure that the run is on the disk before something is accepted in it.
func (o *outbox) ready() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.saved {
		return nil
	}
	return o.saveLedger()
}

// close ends the outbox. What is on the disk stays there.
func (o *outbox) close() {
	for _, q := range o.lanes {
		if q.store == nil {
			continue
		}
		if err := q.store.close(); err != nil {
			o.log.Error("outbox not closed well", "error", err)
		}
	}
}

// noteLoss is told of messages that the disk has lost, or that had to make room.
func (o *outbox) noteLoss(l conn.Lane, loss l2cache.Loss) {
	n := loss.To + 1 - loss.From
	if n == 0 {
		return
	}
	o.dropped.Add(n)
	q := o.lanes[l]
	o.lossMu.Lock()
	q.lost = append(q.lost, loss)
	q.lost = q.lost[max(0, len(q.lost)-maxLosses):]
	o.lossMu.Unlock()
	if loss.Reason != l2cache.Dropped {
		o.log.Error("outbox: messages lost", "lane", laneNames[l], "messages", n, "reason", string(loss.Reason), "kept_in", loss.File)
	}
}

// emit keeps a message until the server has it.
func (o *outbox) emit(ctx context.Context, l conn.Lane, m message) error {
	if err := o.ready(); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	m.stamp()
	q := o.lanes[l]
	if err := q.store.put(ctx, m); err != nil {
		return err
	}
	q.stir()
	return nil
}

// stir has who sends look for something to do.
func (q *lane) stir() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// letGo lets go of what no server needs any more. The caller holds o.mu.
func (o *outbox) letGo(q *lane) {
	to := uint64(0)
	for _, s := range q.streams {
		to = max(to, min(s.acked, s.Last))
		if s.acked < s.Last {
			break
		}
	}
	if first, _ := q.store.bounds(); to >= first {
		if err := q.store.release(to); err != nil && !errors.Is(err, l2cache.ErrAhead) {
			o.log.Error("outbox: what was delivered may be sent again", "error", err)
		}
	}
	close(o.moved)
	o.moved = make(chan struct{})
}

// flush waits until nothing is in the outbox that would be lost with the process, or ctx is done. What is on the disk need not
// be waited for, and is when that cannot take long.
func (o *outbox) flush(ctx context.Context) error {
	if err := o.memory.flush(ctx); err != nil {
		return err
	}
	for _, q := range o.lanes {
		for {
			o.mu.Lock()
			moved := o.moved
			o.mu.Unlock()
			first, next := q.store.bounds()
			if first == next || o.dir != "" && next-first > batchFrames {
				break
			}
			select {
			case <-moved:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return o.newest.flush(ctx)
}

// count returns how many frames wait to be sent, and their bytes.
func (o *outbox) count() (frames int, bytes int64) {
	n, size := o.memory.count()
	frames, bytes = n, int64(size)
	n, size = o.newest.count()
	frames, bytes = frames+n, bytes+int64(size)
	for _, q := range o.lanes {
		if d, ok := q.store.(*onDisk); ok {
			st := d.queue.Stats()
			frames, bytes = frames+int(st.Records), bytes+st.Disk
		}
	}
	return frames, bytes
}

// status tells what waits, for whom.
func (o *outbox) status() OutboxStatus {
	var s OutboxStatus
	s.Messages, s.Bytes = o.count()
	s.Dropped = o.dropped.Load()
	for _, q := range o.lanes {
		if at := o.oldest(q); !at.IsZero() && (s.Oldest.IsZero() || at.Before(s.Oldest)) {
			s.Oldest = at
		}
		if d, ok := q.store.(*onDisk); ok {
			if err := d.queue.Stats().Fault; err != nil {
				s.Fault = err.Error()
			}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s.Acknowledged = o.acks
	return s
}

// oldest returns when the oldest message of a lane was accepted, zero when there is none.
func (o *outbox) oldest(q *lane) time.Time {
	var m message
	switch s := q.store.(type) {
	case *inMemory:
		s.memory.mu.Lock()
		if kept := s.memory.lanes[s.lane].kept; len(kept) > 0 {
			m = kept[0]
		}
		s.memory.mu.Unlock()
	case *onDisk:
		if r, err := s.queue.Peek(s.done); err == nil && len(r.Data) >= messageHead {
			m = message(r.Data)
		}
	}
	if m == nil {
		return time.Time{}
	}
	return time.Unix(0, m.at())
}

// reopenAfter is how long a stream stays closed that the server does not take now.
func reopenAfter() time.Duration { return time.Second + rand.N(3*time.Second) }
