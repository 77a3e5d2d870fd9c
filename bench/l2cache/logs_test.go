package l2cache_test

import (
	"errors"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftwal "github.com/hashicorp/raft-wal"
	"github.com/tidwall/wal"
)

// tidwallQueue is a log that is read from its front, which is cut.
type tidwallQueue struct {
	sequence
	log *wal.Log
}

func openTidwall(dir string, sync bool) (queue, error) {
	opts := *wal.DefaultOptions
	opts.NoSync = !sync
	log, err := wal.Open(dir, &opts)
	if err != nil {
		return nil, err
	}
	first, err1 := log.FirstIndex()
	last, err2 := log.LastIndex()
	return &tidwallQueue{sequence{first: max(first, 1), next: last + 1}, log}, errors.Join(err1, err2)
}

func (q *tidwallQueue) put(record []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.log.Write(q.next, record)
	if err == nil {
		q.next++
	}
	return err
}

// take leaves the last record of the log, which cannot be empty, and counts it as taken.
func (q *tidwallQueue) take(most int, each func([]byte)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	from, to := q.first, min(q.first+uint64(most), q.next)
	for ; q.first < to; q.first++ {
		record, err := q.log.Read(q.first)
		if err != nil {
			return err
		}
		each(record)
	}
	if from == to {
		return nil
	}
	return q.log.TruncateFront(to - 1)
}

func (q *tidwallQueue) close() error { return q.log.Close() }

// raftWALQueue is the log of a Raft node.
type raftWALQueue struct {
	sequence
	log *raftwal.WAL
}

func openRaftWAL(dir string, sync bool) (queue, error) {
	if !sync {
		return nil, errOnlySync
	}
	log, err := raftwal.Open(dir, raftwal.WithLogger(hclog.NewNullLogger()))
	if err != nil {
		return nil, err
	}
	first, err1 := log.FirstIndex()
	last, err2 := log.LastIndex()
	return &raftWALQueue{sequence{first: max(first, 1), next: last + 1}, log}, errors.Join(err1, err2)
}

func (q *raftWALQueue) put(record []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.log.StoreLog(&raft.Log{Index: q.next, Data: record})
	if err == nil {
		q.next++
	}
	return err
}

func (q *raftWALQueue) take(most int, each func([]byte)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	from, to := q.first, min(q.first+uint64(most), q.next)
	var entry raft.Log
	for ; q.first < to; q.first++ {
		if err := q.log.GetLog(q.first, &entry); err != nil {
			return err
		}
		each(entry.Data)
	}
	if from == to {
		return nil
	}
	return q.log.DeleteRange(from, to-1)
}

func (q *raftWALQueue) close() error { return q.log.Close() }
