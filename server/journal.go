package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxPending is how many bytes may wait to be written.
	maxPending = 64 << 20

	// patienceOfTake is how long an agent's goroutine waits for room among them. What does not get in is not lost: its agent
	// opens the stream again.
	patienceOfTake = time.Second

	// cursorLife is how long a cursor is kept that nobody uses.
	cursorLife = 30 * 24 * time.Hour

	// maxCursors is how many streams are known at most; those that nobody has used for longest are forgotten.
	maxCursors = 1 << 20
)

// journal keeps what agents send until everybody has had it. One goroutine writes: what has come since the last write goes
// to the disk with one sync, and is acknowledged after it.
type journal struct {
	dir      string
	size     int64
	log      *slog.Logger
	faults   *throttle
	failures prometheus.Counter
	agents   *tracker // of the goroutines that answer

	consumers []*consumer // written before it starts
	wanted    map[wire.Type]bool

	queue   *l2cache.Queue // nil before it starts
	running atomic.Bool    // agents may use it
	stirred chan struct{}  // has room for one: there is something to do for the writer
	stop    context.CancelFunc
	writing sync.WaitGroup
	feeding sync.WaitGroup

	// Of the writer.
	checkpoint uint64 // offset of the last checkpoint
	since      int64  // bytes written after it

	mu       sync.Mutex // guards what follows, and all cursors, flows and inboxes
	cursors  map[streamID]*cursor
	pending  []entryToWrite
	bytes    int64              // of pending
	room     chan struct{}      // closed when there may be room; nil when nobody waits
	opening  map[*flow]struct{} // wait for their answer
	shares   shares
	fault    error     // why nothing is taken now
	faulty   time.Time // when there was a fault last
	taken    counts
	stopping bool
}

// counts are for the metrics.
type counts struct{ messages, missing, plain, repeated, refused uint64 }

// cursor is up to where the journal has a stream.
type cursor struct {
	seq     uint64 // of the last that was taken
	synced  uint64 // and of the last that is on the disk
	sum     sum    // of the message at synced
	kept    bool   // something of the stream is in the journal
	touched int64  // when it was last used, Unix seconds
	owner   *flow  // the connection from which it is taken, nil for none
}

// entryToWrite waits to be written.
type entryToWrite struct {
	agent   string
	cursor  *cursor // nil for what belongs to no stream
	to      uint64
	missing uint64 // of a gap: so many messages
	data    []byte
	frame   int   // where the frame begins in data; 0 for a gap
	at      int64 // of the message
}

// size is how many bytes it takes on the disk.
func (e *entryToWrite) size() int64 { return int64(len(e.data) + recordOverhead) }

func newJournal(cfg Config, faults *throttle, agents *tracker, failures prometheus.Counter) *journal {
	return &journal{
		dir: filepath.Join(cfg.DataDir, "journal"), size: cfg.Journal.Size, log: cfg.Logger, faults: faults, failures: failures, agents: agents,
		wanted: make(map[wire.Type]bool), stirred: make(chan struct{}, 1), cursors: make(map[streamID]*cursor), opening: make(map[*flow]struct{}),
		shares: newShares(cfg.Journal.Size),
	}
}

// start reads where the journal is, and begins to write and to feed the sinks.
func (j *journal) start() error {
	if err := os.MkdirAll(filepath.Join(j.dir, "consumers"), 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	left, _ := filepath.Glob(filepath.Join(j.dir, "*", ".new-*")) // the pattern is right
	for _, file := range left {
		_ = os.Remove(file) // of a server that was killed; it harms nobody
	}
	var err error
	j.queue, err = l2cache.OpenQueue(l2cache.QueueConfig{
		Dir: filepath.Join(j.dir, "queue"), Size: j.size, Full: l2cache.FullRefuse, OnLoss: j.lost,
	})
	if err != nil {
		return fmt.Errorf("data_dir: journal: %w", err)
	}
	if err := j.recover(); err != nil {
		return errors.Join(fmt.Errorf("data_dir: journal: %w", err), j.queue.Close())
	}
	for _, c := range j.consumers {
		if err := c.load(j.queue); err != nil {
			return errors.Join(fmt.Errorf("data_dir: journal: sink %s: %w", c.name, err), j.queue.Close())
		}
	}
	j.shares.before = j.backlog()
	ctx, cancel := context.WithCancel(context.Background())
	j.stop = cancel
	j.writing.Go(j.write)
	for _, c := range j.consumers {
		j.feeding.Go(func() { c.run(ctx) })
	}
	j.running.Store(true)
	return nil
}

// close writes what waits, and ends everything. No agent uses the journal any more.
func (j *journal) close() {
	j.running.Store(false)
	j.mu.Lock()
	j.stopping = true
	j.mu.Unlock()
	j.stir()
	j.writing.Wait()
	j.stop()
	j.feeding.Wait()
	if err := j.queue.Close(); err != nil {
		j.log.Error("journal not closed well", "err", err)
	}
}

// stir has the writer look for work.
func (j *journal) stir() {
	select {
	case j.stirred <- struct{}{}:
	default:
	}
}

// stirIfWaited is stir if the writer, or an agent, waits for the sinks.
func (j *journal) stirIfWaited() {
	j.mu.Lock()
	waited := j.fault != nil || len(j.opening) > 0
	j.mu.Unlock()
	if waited {
		j.stir()
	}
}

// backlog is about what is in the journal that a sink has not taken.
func (j *journal) backlog() span {
	first, last := j.passed()+1, j.queue.Next()-1
	if first > last {
		return span{}
	}
	st := j.queue.Stats()
	bytes := float64(st.Disk) / float64(max(st.Records, 1)) * float64(last-first+1)
	return span{first: first, last: last, bytes: min(int64(bytes), st.Disk)}
}

// lost is told of records that the disk has lost.
func (j *journal) lost(l l2cache.Loss) {
	j.log.Error("journal: records lost", "reason", string(l.Reason), "from", l.From, "to", l.To, "kept_in", l.File)
}

// recover reads the cursors: the latest checkpoint that is known, and what was written after it.
func (j *journal) recover() error {
	hint, _ := os.ReadFile(j.hintFile()) // without it, all is read
	var from uint64
	if _, err := fmt.Sscan(strings.TrimSpace(string(hint)), &from); err != nil || from >= j.queue.Next() {
		from = 0
	}
	ok, err := j.readFrom(from, from > 0)
	if err == nil && !ok {
		_, err = j.readFrom(0, false)
	}
	return err
}

// readFrom reads the cursors from a record on. If that must be a checkpoint and is none, nothing is read.
func (j *journal) readFrom(from uint64, checkpoint bool) (ok bool, err error) {
	now, cancel := context.WithCancel(context.Background())
	cancel() // what is there is read, and nothing waited for
	r := j.queue.Reader(max(from, 1))
	defer r.Close()
	for {
		rec, err := r.Next(now)
		switch {
		case errors.Is(err, context.Canceled):
			return !checkpoint, nil
		case err != nil:
			return false, err
		case checkpoint && (rec.Seq != from || len(rec.Data) == 0 || rec.Data[0] != recordCheckpoint):
			return false, nil
		}
		checkpoint = false
		j.replay(rec)
	}
}

// replay takes over the cursors of a record.
func (j *journal) replay(rec l2cache.Record) {
	if len(rec.Data) > 0 && rec.Data[0] == recordCheckpoint {
		fresh := make(map[streamID]*cursor)
		err := parseCheckpoint(rec.Data, func(s saved) {
			fresh[s.stream] = &cursor{seq: s.seq, synced: s.seq, sum: s.sum, kept: true, touched: s.touched}
		})
		if err == nil {
			j.cursors, j.checkpoint, j.since = fresh, rec.Seq, 0
			return
		}
	}
	r, err := parseRecord(rec.Data)
	if err != nil {
		j.log.Error("journal: a record cannot be read", "offset", rec.Seq, "err", err)
		return
	}
	j.since += int64(len(rec.Data))
	if r.kind == recordPlain {
		return
	}
	c := j.cursors[r.stream]
	if c == nil {
		c = &cursor{kept: true}
		j.cursors[r.stream] = c
	}
	c.seq, c.synced, c.touched, c.sum = r.to, r.to, time.Now().Unix(), sum{}
	if r.kind == recordMessage {
		c.sum = sumOf(r.at, r.frame)
	}
}

func (j *journal) hintFile() string { return filepath.Join(j.dir, "checkpoint") }

// wants tells whether a sink wants messages of a type that agents send without keeping them.
func (j *journal) wants(t wire.Type) bool { return j.wanted[t] && j.running.Load() }
