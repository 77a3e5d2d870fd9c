package l2cache

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Queue is a queue of records, first in, first out. Records have sequences that grow; those that were put one after the
// other follow each other, save for what is lost. All methods are safe for concurrent use.
type Queue struct {
	cfg   QueueConfig
	dir   *folder // nil: memory only
	run   Run
	salt  uint32
	first uint64 // sequence of this run

	kick chan struct{}  // has room for one: there is something to tidy up
	done chan struct{}  // closed by Close
	work sync.WaitGroup // the goroutine that tidies up

	position positionFile

	mu        sync.Mutex // guards what follows
	turn      turn       // whose holder alone writes to the disk
	segs      []*segment // in order; the last one may be written to
	active    *segment   // is written to; nil: a new one is needed
	runs      []RunRange // of segs, and this one
	tail      []byte     // what active has behind what SyncInterval has synced
	gather    *group     // is written next, and can be joined
	spare     *group
	pending   int64  // bytes that wait to be written
	next      uint64 // sequence of the next record, unless one before it is refused
	visible   uint64 // sequences below may be read
	acked     uint64
	bytes     int64 // of the disk, in segments
	memory    int64 // of memory, in segments
	trash     []*segment
	aside     aside
	losses    []Loss        // to be reported
	reporting bool          // somebody does
	wake      chan struct{} // closed when there are more records; nil when nobody waits
	room      chan struct{} // closed when there may be room; nil when nobody waits
	stats     Stats
	tidying   bool // the goroutine is at work
	fault     fault
	closed    bool

	lossy     atomic.Bool   // there are losses
	confirmed atomic.Uint64 // acked, for the head
	released  atomic.Uint64 // up to here Ack was called, whatever else was lost
	head      headReader
}

// RunRange is what one run has put, as far as it is not removed: the sequences from First to Last. Of the run that goes on,
// Last is the latest.
type RunRange struct {
	Run         Run
	First, Last uint64
}

// Record is what was put. Its data must not be changed. It may be kept, unless the queue shall reuse the memory, but a small
// piece keeps up to 256 KiB of its neighbours in memory: clone what stays long.
type Record struct {
	Seq  uint64
	Run  Run
	Data []byte
}

// Put adds a record, and returns its sequence when it is as safe as [Sync] says. While there is no room it waits until ctx is
// done, if it shall; a record that is being written is written to its end, whatever happens to ctx. When there is an error,
// the record is not in the queue, and its sequence goes to the next one; only if the power is lost next, one that failed to reach
// the disk may still be.
func (q *Queue) Put(ctx context.Context, record []byte) (seq uint64, err error) {
	return q.put(ctx, record, nil)
}

// PutBatch adds records with one write, all of them or none, and returns the sequence of the last. A crash in the middle may
// leave the first of them. No records are no error; then there is no sequence.
func (q *Queue) PutBatch(ctx context.Context, records [][]byte) (last uint64, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	return q.put(ctx, nil, records)
}

func (q *Queue) put(ctx context.Context, one []byte, batch [][]byte) (seq uint64, err error) {
	defer q.report()
	size := int64(headerSize + len(one))
	if batch != nil {
		size = 0
		for _, r := range batch {
			size += int64(headerSize + len(r))
			if len(r) > MaxRecord {
				return 0, q.tooBig(int64(len(r)), MaxRecord)
			}
		}
	}
	if most := q.most(); size > most || len(one) > MaxRecord {
		return 0, q.tooBig(size, min(most, MaxRecord))
	}
	q.mu.Lock()
	if err := q.admit(ctx, size); err != nil {
		q.mu.Unlock()
		return 0, err
	}
	if q.inMemory(size) {
		seq = q.keep(one, batch, size)
		q.mu.Unlock()
		return seq, nil
	}
	g, leads := q.join(one, batch, size)
	n := g.next - g.first
	if leads {
		seq, err = q.lead(g, n)
		q.mu.Unlock()
		return seq, err
	}
	done := g.done
	q.mu.Unlock()
	<-done
	if g.err != nil {
		return 0, g.err
	}
	return g.first + n - 1, nil
}

func (q *Queue) tooBig(size, most int64) error {
	return q.wrap("put", fmt.Errorf("%d bytes, at most %d: %w", size, most, ErrTooBig))
}

// most is how many bytes can be put at once.
func (q *Queue) most() int64 {
	if q.dir == nil {
		return q.cfg.Memory
	}
	return q.cfg.Size - 2*segmentPrefix
}

// report tells of the losses that have been noticed. It is called without locks.
func (q *Queue) report() {
	if !q.lossy.Load() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.reporting {
		return // who is at it goes on with these, in order
	}
	q.reporting = true
	for len(q.losses) > 0 {
		losses := q.losses
		q.losses = nil
		q.mu.Unlock()
		if q.cfg.OnLoss != nil {
			for _, l := range losses {
				q.cfg.OnLoss(l)
			}
		}
		q.mu.Lock()
	}
	q.lossy.Store(false)
	q.reporting = false
}

// lose counts lost records, and has them reported. Nobody can acknowledge them: when they are next, they are passed over. The
// caller has the lock.
func (q *Queue) lose(l Loss) {
	q.lossy.Store(true)
	n := l.To + 1 - l.From
	switch l.Reason {
	case Dropped:
		q.stats.Dropped += n
	default:
		q.stats.Damaged += n
	}
	if l.From <= q.acked+1 && l.To > q.acked {
		q.acked = l.To
		q.confirmed.Store(q.acked)
	}
	if last := len(q.losses) - 1; last >= 0 && l.File == "" && q.losses[last].File == "" &&
		q.losses[last].Reason == l.Reason && q.losses[last].To+1 == l.From {
		q.losses[last].To = l.To
		return
	}
	q.losses = append(q.losses, l)
}

// publish lets readers have what is put below next.
func (q *Queue) publish(next uint64) {
	q.visible = max(q.visible, next)
	if q.wake != nil {
		close(q.wake)
		q.wake = nil
	}
}

// wait waits until there is a record with a sequence, or a later one.
func (q *Queue) wait(ctx context.Context, seq uint64) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return q.wrap("read", ErrClosed)
	}
	if q.visible > seq {
		q.mu.Unlock()
		return nil
	}
	if q.wake == nil {
		q.wake = make(chan struct{})
	}
	wake := q.wake
	q.mu.Unlock()
	select {
	case <-wake:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Run names what this opening of the queue puts.
func (q *Queue) Run() Run { return q.run }

// Runs returns what each run has put, the oldest first, and this one last. Those of which no record is left are not there.
func (q *Queue) Runs() []RunRange {
	q.mu.Lock()
	defer q.mu.Unlock()
	runs := slices.Clone(q.runs)
	for i := range runs {
		if i+1 < len(runs) {
			runs[i].Last = runs[i+1].First - 1
		} else {
			runs[i].Last = q.visible - 1
		}
	}
	return runs
}

// First is the sequence after the last one that is acknowledged or dropped: that of the oldest record, if there is one.
func (q *Queue) First() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.acked + 1
}

// Next is the sequence after the last record that can be read.
func (q *Queue) Next() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.visible
}

// wrap says in an error which queue it is about.
func (q *Queue) wrap(what string, err error) error {
	where := q.cfg.Dir
	if q.dir != nil {
		where = q.dir.path
	}
	return wrap(what, where, err)
}
