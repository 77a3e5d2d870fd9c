package libagent

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// message is what an outbox keeps: the time of its acceptance, and its frame.
type message []byte

// messageHead is what a message has before its frame: Unix nanoseconds, big-endian.
const messageHead = 8

func (m message) at() int64     { return int64(binary.BigEndian.Uint64(m)) }
func (m message) frame() []byte { return m[messageHead:] }

// stamp notes that the message is accepted now.
func (m message) stamp() { binary.BigEndian.PutUint64(m, uint64(time.Now().UnixNano())) }

// stored is a message with its sequence.
type stored struct {
	seq uint64
	message
}

// store keeps the messages of one lane, first in, first out.
type store interface {
	// put adds a message, and waits for room until ctx is done.
	put(ctx context.Context, m message) error
	// read adds those that are there from a sequence on to batch, a batch at most. It does not wait. It is called by one
	// goroutine at a time.
	read(from uint64, batch []stored) ([]stored, error)
	// release lets go of all up to a sequence.
	release(to uint64) error
	// bounds returns the sequence after the last one that is released, and the one that comes next.
	bounds() (first, next uint64)
	close() error
}

// inMemory is a store that ends with the process.
type inMemory struct {
	memory *memory
	lane   conn.Lane
}

func (s *inMemory) put(ctx context.Context, m message) error {
	if s.memory.put(s.lane, &waiter{message: m}, ctx.Done()) == 0 {
		return context.Cause(ctx)
	}
	return nil
}

func (s *inMemory) read(from uint64, batch []stored) ([]stored, error) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	q := &s.memory.lanes[s.lane]
	from = max(from, q.released+1)
	size := 0
	for i := from - q.released - 1; i < uint64(len(q.kept)) && len(batch) < batchFrames && (size == 0 || size+len(q.kept[i]) <= batchBytes); i++ {
		batch = append(batch, stored{q.released + 1 + i, q.kept[i]})
		size += len(q.kept[i])
	}
	return batch, nil
}

func (s *inMemory) release(to uint64) error {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	q := &s.memory.lanes[s.lane]
	for q.released < to && len(q.kept) > 0 {
		q.bytes -= len(q.kept[0])
		q.kept[0] = nil
		q.kept = q.kept[1:]
		q.released++
	}
	if len(q.kept) == 0 {
		q.kept = nil // its array may have grown
	}
	s.memory.admit(q)
	return nil
}

func (s *inMemory) bounds() (first, next uint64) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	q := &s.memory.lanes[s.lane]
	return q.released + 1, q.released + 1 + uint64(len(q.kept))
}

func (s *inMemory) close() error { return nil }

// onDisk is a store that outlives the process.
type onDisk struct {
	queue   *l2cache.Queue
	done    context.Context // has ended: what is there is taken, and nothing waited for
	turn    chan struct{}   // held by the first that waits for room: those behind it come in their order
	waiting atomic.Int32
	reader  *l2cache.Reader
	next    uint64 // that the reader gives
	records []l2cache.Record
}

// newOnDisk opens the store of a lane in a folder.
func newOnDisk(dir string, l conn.Lane, cfg OutboxConfig, lost func(l2cache.Loss)) (*onDisk, error) {
	size := cfg.Disk / 8
	if l == conn.Bulk {
		size = cfg.Disk - size
	}
	sync, _ := outboxSync(cfg.Sync) // they are checked
	full, _ := outboxFull(cfg.Full)
	q, err := l2cache.OpenQueue(l2cache.QueueConfig{
		Dir: filepath.Join(dir, laneNames[l]), Size: size, OnLoss: lost, Sync: sync, Full: full,
	})
	if err != nil {
		return nil, err
	}
	done, cancel := context.WithCancelCause(context.Background())
	cancel(errNothing)
	return &onDisk{queue: q, done: done, turn: make(chan struct{}, 1)}, nil
}

// outboxSync and outboxFull are what the settings of these names mean.
func outboxSync(s string) (l2cache.Sync, bool) {
	switch s {
	case "kernel":
		return l2cache.SyncNone, true
	case "interval":
		return l2cache.SyncInterval, true
	}
	return l2cache.SyncGroup, s == "disk"
}

func outboxFull(s string) (l2cache.Full, bool) {
	if s == "drop" {
		return l2cache.FullDrop, true
	}
	return l2cache.FullWait, s == "wait"
}

// errNothing is the end of the context done.
var errNothing = errors.New("nothing there")

func (s *onDisk) put(ctx context.Context, m message) error {
	if s.waiting.Load() == 0 {
		_, err := s.queue.Put(s.done, m)
		if !errors.Is(err, errNothing) {
			return bigError(err)
		}
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	_, err := s.queue.Put(ctx, m)
	return bigError(err)
}

// bigError makes of an error of the queue one of this package.
func bigError(err error) error {
	if errors.Is(err, l2cache.ErrTooBig) {
		return errors.Join(ErrTooBig, err)
	}
	return err
}

func (s *onDisk) read(from uint64, batch []stored) ([]stored, error) {
	if s.reader == nil || s.next != from {
		if s.reader != nil {
			s.reader.Close()
		}
		s.reader = s.queue.Reader(from)
	}
	s.next = from
	var err error
	s.records, err = s.reader.NextBatch(s.done, s.records[:0], batchFrames, batchBytes)
	for _, r := range s.records {
		s.next = r.Seq + 1
		if len(r.Data) < messageHead+len(`{"type":`) {
			continue // nobody has put that
		}
		batch = append(batch, stored{r.Seq, message(r.Data)})
	}
	clear(s.records)
	if err != nil && !errors.Is(err, errNothing) {
		s.reader.Close()
		s.reader = nil
		return batch, err
	}
	return batch, nil
}

func (s *onDisk) release(to uint64) error { return s.queue.Ack(to) }

func (s *onDisk) bounds() (first, next uint64) { return s.queue.First(), s.queue.Next() }

func (s *onDisk) close() error {
	if s.reader != nil {
		s.reader.Close() // it has a file open
	}
	return s.queue.Close()
}
