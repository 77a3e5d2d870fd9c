package l2cache_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// queue is an open queue of a test.
type queue struct {
	*l2cache.Queue
	t   testing.TB
	dir string

	mu     sync.Mutex // guards losses
	losses []l2cache.Loss
}

// open opens a queue, which is closed at the end of the test.
func open(t testing.TB, cfg l2cache.QueueConfig) *queue {
	t.Helper()
	q := &queue{t: t, dir: cfg.Dir}
	cfg.OnLoss = func(l l2cache.Loss) {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.losses = append(q.losses, l)
	}
	var err error
	if q.Queue, err = l2cache.OpenQueue(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// durable is a configuration in a folder of its own.
func durable(t testing.TB) l2cache.QueueConfig {
	return l2cache.QueueConfig{Dir: filepath.Join(t.TempDir(), "queue"), Sync: l2cache.SyncNone}
}

func (q *queue) put(records ...string) {
	q.t.Helper()
	for _, r := range records {
		if _, err := q.Put(q.t.Context(), []byte(r)); err != nil {
			q.t.Fatal(err)
		}
	}
}

// numbered is the record with a number.
func numbered(i int) string { return fmt.Sprintf("record %d %s", i, strings.Repeat("x", i%97)) }

// putNumbered puts the records from one number to before another.
func (q *queue) putNumbered(from, to int) {
	q.t.Helper()
	for i := from; i < to; i++ {
		q.put(numbered(i))
	}
}

// all returns what is there and not acknowledged.
func (q *queue) all() []l2cache.Record {
	q.t.Helper()
	records, err := q.PeekBatch(done(), nil, 1<<30, 1<<30)
	if err != nil && err != context.Canceled {
		q.t.Fatal(err)
	}
	return records
}

// texts are the data of records.
func texts(records []l2cache.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Data))
	}
	return all
}

func (q *queue) ack(seq uint64) {
	q.t.Helper()
	if err := q.Ack(seq); err != nil {
		q.t.Fatal(err)
	}
}

func (q *queue) close() {
	q.t.Helper()
	if err := q.Close(); err != nil {
		q.t.Fatal(err)
	}
}

// noLosses fails when losses were reported.
func (q *queue) noLosses() {
	q.t.Helper()
	for _, l := range q.lost() {
		q.t.Errorf("loss: %d to %d, %s, %s", l.From, l.To, l.Reason, l.File)
	}
}

// lost returns the losses that were reported, and forgets them.
func (q *queue) lost() []l2cache.Loss {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.losses
	q.losses = nil
	return all
}

// done is a context that waits for nothing.
func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d\n%.600v\nwant %d\n%.600v", what, len(got), got, len(want), want)
	}
}

// segments are the paths of a queue's segments, the oldest first.
func segments(t testing.TB, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// sizeOf is how many bytes the files of a folder have that match.
func sizeOf(t interface {
	Helper()
	Fatal(...any)
}, dir, pattern string) (size int64) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		if st, err := os.Stat(p); err == nil {
			size += st.Size()
		}
	}
	return size
}

// childVariable says which of the children a process shall be.
const childVariable = "L2CACHE_CHILD"

// child prepares a process that runs one of the children.
func child(t testing.TB, name string, environment ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(append(os.Environ(), childVariable+"="+name), environment...)
	cmd.Stderr = os.Stderr
	return cmd
}

var background = context.Background()

const windows = runtime.GOOS == "windows"
