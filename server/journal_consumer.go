package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/wire"
)

// noteEvery is how often it is noted how far a sink is: what it takes within that time comes again after a crash.
const noteEvery = time.Second

// consumer gives a sink what it has not taken.
type consumer struct {
	name    string
	sink    Sink
	types   []wire.Type
	journal *journal

	done  atomic.Uint64 // offset of the last entry that the sink has taken
	noted uint64        // and that is on the disk
	last  time.Time     // when it was noted
}

func (c *consumer) file() string { return filepath.Join(c.journal.dir, "consumers", c.name) }

// load reads how far the sink was. Of what the journal does not have any more there is nothing to wait for.
func (c *consumer) load(q *l2cache.Queue) error {
	text, err := os.ReadFile(c.file())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	done, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || done >= q.Next() { // none yet, or of a journal that was there before this one
		done = 0
	}
	c.done.Store(max(done, q.First()-1))
	c.noted = done
	return nil
}

// note writes down how far the sink is.
func (c *consumer) note() {
	done := c.done.Load()
	if done == c.noted {
		return
	}
	if err := replaceFile(c.file(), strconv.AppendUint(nil, done, 10)); err != nil {
		c.journal.faults.say("journal: not noted how far a sink is", slog.String("sink", c.name), slog.String("err", err.Error()))
		return
	}
	c.noted, c.last = done, time.Now()
}

// run gives until ctx is done.
func (c *consumer) run(ctx context.Context) {
	defer c.note()
	r := c.journal.queue.Reader(c.done.Load() + 1)
	defer r.Close()
	var records []l2cache.Record
	var entries []Entry
	for {
		var err error
		records, err = c.next(ctx, r, records[:0])
		if err != nil {
			return
		}
		entries = c.chosen(entries[:0], records)
		if len(entries) > 0 && !c.give(ctx, entries) {
			return
		}
		c.done.Store(records[len(records)-1].Seq)
		c.journal.stirIfWaited()
		if time.Since(c.last) >= noteEvery {
			c.note()
		}
		clear(entries)
	}
}

// next reads the next records. While there are none, it is noted how far the sink is.
func (c *consumer) next(ctx context.Context, r *l2cache.Reader, batch []l2cache.Record) ([]l2cache.Record, error) {
	for {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if c.done.Load() != c.noted {
			wait, cancel = context.WithTimeout(ctx, noteEvery)
		}
		batch, err := r.NextBatch(wait, batch, batchEntries, batchBytes)
		cancel()
		switch {
		case err == nil:
			return batch, nil
		case ctx.Err() != nil || errors.Is(err, l2cache.ErrClosed):
			return nil, err
		case wait.Err() != nil:
			c.note()
		default:
			c.journal.faults.say("journal cannot be read", slog.String("sink", c.name), slog.String("err", err.Error()))
			if !pause(ctx, longestRetry) {
				return nil, err
			}
		}
	}
}

// chosen adds what the sink wants of some records.
func (c *consumer) chosen(entries []Entry, records []l2cache.Record) []Entry {
	for _, rec := range records {
		if len(rec.Data) > 0 && rec.Data[0] == recordCheckpoint {
			continue
		}
		r, err := parseRecord(rec.Data)
		if err != nil {
			c.journal.faults.say("journal: a record cannot be read", slog.Uint64("offset", rec.Seq), slog.String("err", err.Error()))
			continue
		}
		if r.kind == recordGap || len(c.types) == 0 || slices.Contains(c.types, r.typ) {
			entries = append(entries, r.entry(rec.Seq))
		}
	}
	return entries
}

// give gives entries until the sink has taken them, false when ctx ends before that.
func (c *consumer) give(ctx context.Context, entries []Entry) bool {
	for wait := firstRetry; ; wait = min(2*wait, longestRetry) {
		err := c.try(ctx, entries)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.journal.failures.Inc()
		c.journal.faults.say("sink failed, and gets the same again", slog.String("sink", c.name), slog.Int("entries", len(entries)),
			slog.Duration("after", wait), slog.String("err", err.Error()))
		if !pause(ctx, wait) {
			return false
		}
	}
}

// try gives entries once. A panic of the sink is an error of it.
func (c *consumer) try(ctx context.Context, entries []Entry) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w\n%s", &PanicError{Value: v}, debug.Stack())
		}
	}()
	return c.sink.Take(ctx, entries)
}

// pause waits, false when ctx ends before that.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// replaceFile puts a file into the place of another one, or leaves that as it is.
func replaceFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
