package l2cache_test

import (
	"errors"
	"sync"
)

// queue is how the comparison uses a peer.
type queue interface {
	// put adds a record, which is as safe as the peer was asked for when put returns. It is called by many at once.
	put(record []byte) error
	// take takes the oldest records out, most at most, and acknowledges them; it returns none when there are none.
	take(most int, each func(record []byte)) error
	close() error
}

// peer is one that is compared.
type peer struct {
	name  string
	open  func(dir string, sync bool) (queue, error)
	limit bool // is no queue, and shows how far one could be taken
	takes bool // differs from the one before only in how records are taken
}

const ours = "jkframe/l2cache"

var peers = []peer{
	{name: ours, open: openOurs},
	{name: ours + ", Reuse", open: openOursReuse, takes: true},
	{name: "tidwall/wal", open: openTidwall},
	{name: "joncrlsn/dque", open: openDque},
	{name: "nsqio/go-diskqueue", open: openDiskqueue},
	{name: "hashicorp/raft-wal", open: openRaftWAL},
	{name: "cockroachdb/pebble", open: openPebble},
	{name: "etcd-io/bbolt", open: openBbolt},
	{name: "limit", open: openLimit, limit: true},
}

// errOnlySync says that a peer has no other way.
var errOnlySync = errors.New("syncs always")

// takeAtOnce is how many records are taken out at once. All of them are acknowledged then: a process that is killed gets no
// more than these again.
const takeAtOnce = 256

// sequence gives numbers to records of a peer that takes them in order, one at a time.
type sequence struct {
	mu          sync.Mutex // guards what follows
	first, next uint64
}
