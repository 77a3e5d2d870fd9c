package l2cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
	"pgregory.net/rapid"
)

// machine is a queue beside a plain list of what it should hold.
type machine struct {
	cfg     l2cache.QueueConfig
	q       *l2cache.Queue
	r       *l2cache.Reader
	want    []l2cache.Record // not acknowledged
	next    uint64           // sequence
	read    uint64           // by r
	written int
	lost    []l2cache.Loss
	held    []held
}

// held is a record that was peeked, and for which Ack was not called.
type held struct{ got, want l2cache.Record }

func (m *machine) open(t *rapid.T) {
	m.cfg.OnLoss = func(l l2cache.Loss) { m.lost = append(m.lost, l) }
	var err error
	if m.q, err = l2cache.OpenQueue(m.cfg); err != nil {
		t.Fatal(err)
	}
	m.r = m.q.Reader(m.read + 1)
	m.held = nil
}

func (m *machine) close(t *rapid.T) {
	m.r.Close()
	if err := m.q.Close(); err != nil {
		t.Fatal(err)
	}
}

// record makes a record that is unlike the others.
func (m *machine) record(t *rapid.T) []byte {
	m.written++
	size := rapid.SampledFrom([]int{0, 1, 10, 100, 1000, 5000, 20_000}).Draw(t, "size")
	return []byte(fmt.Sprint(m.written) + strings.Repeat("x", size))
}

// put expects records to be there, unless they were refused.
func (m *machine) put(t *rapid.T, records [][]byte, last uint64, err error) {
	if errors.Is(err, l2cache.ErrFull) {
		return
	}
	if err != nil || last != m.next+uint64(len(records))-1 {
		t.Fatalf("sequence %d, want %d, %v", last, m.next+uint64(len(records))-1, err)
	}
	for _, r := range records {
		m.want = append(m.want, l2cache.Record{Seq: m.next, Run: m.q.Run(), Data: r})
		m.next++
	}
}

// drop forgets what the queue says it has dropped.
func (m *machine) drop(t *rapid.T) {
	for _, l := range m.lost {
		if l.Reason != l2cache.Dropped || len(m.want) == 0 || l.From != m.want[0].Seq || l.To >= m.next {
			t.Fatalf("loss %+v, the first is %v", l, m.want)
		}
		m.want = m.want[l.To+1-l.From:]
	}
	m.lost = nil
}

func (m *machine) same(t *rapid.T, got, want l2cache.Record) {
	if got.Seq != want.Seq || got.Run != want.Run || string(got.Data) != string(want.Data) {
		t.Fatalf("record %d %.20q of %s, want %d %.20q of %s", got.Seq, got.Data, got.Run, want.Seq, want.Data, want.Run)
	}
}

// Any order of calls, closings and crashes leaves the queue with what a list would have.
func TestQueueIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "queue")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		m := &machine{next: 1}
		m.cfg = l2cache.QueueConfig{
			Dir: filepath.Join(dir, "0"), Size: 64 << 10, Segment: 4 << 10, Memory: 16 << 10,
			Sync: rapid.SampledFrom([]l2cache.Sync{l2cache.SyncNone, l2cache.SyncInterval, l2cache.SyncGroup}).Draw(t, "sync"),
			Full: rapid.SampledFrom([]l2cache.Full{l2cache.FullRefuse, l2cache.FullDrop}).Draw(t, "full"),
		}
		m.cfg.Volatile = rapid.Bool().Draw(t, "volatile")
		m.cfg.Reuse = rapid.Bool().Draw(t, "reuse")
		m.open(t)
		t.Cleanup(func() { m.r.Close(); m.q.Close() })
		crashes := 0
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				r := m.record(t)
				seq, err := m.q.Put(context.Background(), r)
				m.drop(t)
				m.put(t, [][]byte{r}, seq, err)
			},
			"put batch": func(t *rapid.T) {
				var batch [][]byte
				for range rapid.IntRange(1, 5).Draw(t, "records") {
					batch = append(batch, m.record(t))
				}
				last, err := m.q.PutBatch(context.Background(), batch)
				if errors.Is(err, l2cache.ErrTooBig) {
					return
				}
				m.drop(t)
				m.put(t, batch, last, err)
			},
			"peek": func(t *rapid.T) {
				most := rapid.IntRange(1, 10).Draw(t, "most")
				got, err := m.q.PeekBatch(done(), nil, most, 1<<20)
				m.drop(t)
				if len(got) != min(most, len(m.want)) || (err == nil) != (len(m.want) > 0) {
					t.Fatalf("%d records of %d, %v", len(got), len(m.want), err)
				}
				for i := range got {
					m.held = append(m.held, held{got[i], m.want[i]})
				}
			},
			"ack": func(t *rapid.T) {
				if len(m.want) == 0 {
					t.Skip()
				}
				n := rapid.IntRange(0, len(m.want)-1).Draw(t, "records")
				if err := m.q.Ack(m.want[n].Seq); err != nil {
					t.Fatal(err)
				}
				m.held = slices.DeleteFunc(m.held, func(h held) bool { return h.got.Seq <= m.want[n].Seq })
				m.want = m.want[n+1:]
			},
			"read": func(t *rapid.T) {
				got, err := m.r.Next(done())
				if err != nil {
					if len(m.want) > 0 && m.want[len(m.want)-1].Seq > m.read {
						t.Fatalf("the reader is at %d: %v", m.read, err)
					}
					return
				}
				if got.Seq <= m.read {
					t.Fatalf("the reader reads %d after %d", got.Seq, m.read)
				}
				for _, want := range m.want {
					if want.Seq == got.Seq {
						m.same(t, got, want)
					} else if want.Seq < got.Seq && want.Seq > m.read {
						t.Fatalf("the reader has passed over %d", want.Seq)
					}
				}
				m.read = got.Seq
			},
			"reopen": func(t *rapid.T) {
				m.close(t)
				m.reset()
				m.open(t)
			},
			"crash": func(t *rapid.T) {
				if m.cfg.Volatile {
					t.Skip()
				}
				// The copy is what a process that is killed leaves.
				crashes++
				to := filepath.Join(dir, fmt.Sprint(crashes))
				if err := os.CopyFS(to, os.DirFS(m.cfg.Dir)); err != nil {
					t.Fatal(err)
				}
				m.close(t)
				m.cfg.Dir = to
				m.open(t)
				if err := m.q.Ack(m.next - uint64(len(m.want)) - 1); err != nil { // what was acknowledged just before may come again
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				m.drop(t)
				for _, h := range m.held {
					m.same(t, h.got, h.want)
				}
				s := m.q.Stats()
				if m.q.Next() != m.next || s.Records != uint64(len(m.want)) || s.Disk > m.cfg.Size || s.Memory > m.cfg.Memory || s.Damaged > 0 {
					t.Fatalf("next %d, want %d, %d records: %+v", m.q.Next(), m.next, len(m.want), s)
				}
			},
		})
	})
}

// reset forgets what a volatile queue does not keep.
func (m *machine) reset() {
	if m.cfg.Volatile {
		m.want, m.next, m.read = nil, 1, 0
	}
}
