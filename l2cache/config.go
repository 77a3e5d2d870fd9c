package l2cache

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Sync says when a record is safe, which is when [Queue.Put] returns. All of them survive the end of the process, kill -9
// included; they differ in what a loss of power takes.
type Sync int

const (
	// SyncGroup puts all that waits on the disk with one sync. Nothing is lost.
	SyncGroup Sync = iota
	// SyncEach puts each record, or batch, on the disk by itself. Nothing is lost. It is SyncGroup for those who must not wait
	// for others; it is never faster.
	SyncEach
	// SyncInterval leaves the record in the kernel, and puts it on the disk within QueueConfig.SyncEvery, or when there are 4 MiB,
	// which is what is lost. Until then it is in memory too, for a disk that fails.
	SyncInterval
	// SyncNone leaves the record in the kernel. What the kernel has not written by itself is lost, up to half a minute.
	SyncNone
)

// Full says what happens when there is no room.
type Full int

const (
	// FullWait waits for room.
	FullWait Full = iota
	// FullRefuse returns [ErrFull].
	FullRefuse
	// FullDrop makes room: the oldest are dropped and reported.
	FullDrop
	// FullDiscard keeps what is there: from the first byte that has no room on, everything is thrown away and counted. It is for
	// a [Buffer] alone.
	FullDiscard
)

var (
	syncNames = [...]string{SyncGroup: "group", SyncEach: "each", SyncInterval: "interval", SyncNone: "none"}
	fullNames = [...]string{FullWait: "wait", FullRefuse: "refuse", FullDrop: "drop", FullDiscard: "discard"}
)

// String returns "group", "each", "interval" or "none".
func (s Sync) String() string { return nameOf(int(s), syncNames[:]) }

// MarshalText returns what String returns.
func (s Sync) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String returns.
func (s *Sync) UnmarshalText(text []byte) error {
	return parseName((*int)(s), string(text), syncNames[:])
}

// String returns "wait", "refuse", "drop" or "discard".
func (f Full) String() string { return nameOf(int(f), fullNames[:]) }

// MarshalText returns what String returns.
func (f Full) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what String returns.
func (f *Full) UnmarshalText(text []byte) error {
	return parseName((*int)(f), string(text), fullNames[:])
}

func nameOf(i int, names []string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%d", i)
	}
	return names[i]
}

func parseName(to *int, text string, names []string) error {
	for i, name := range names {
		if name == text {
			*to = i
			return nil
		}
	}
	return fmt.Errorf("%q is none of %q", text, names)
}

// Sizes and times where the configuration says nothing.
const (
	defaultSize      = 1 << 30
	defaultMemory    = 16 << 20
	defaultSyncEvery = time.Second

	minSize    = 64 << 10
	minSegment = 4 << 10
	maxSegment = 16 << 20
)

// QueueConfig is how a [Queue] shall be. The zero value, with a folder, is a durable queue that loses nothing.
type QueueConfig struct {
	// Dir is the folder, which belongs to this queue alone and is made when it is missing. It gets mode 0700, its files 0600. A
	// volatile queue without a folder lives in memory only.
	Dir string

	// Volatile makes a queue that does not outlive the process: what it holds is in memory, and on disk beyond. By default, the
	// queue is durable.
	Volatile bool

	// Sync says when a record of a durable queue is safe. By default, SyncGroup.
	Sync Sync

	// SyncEvery is for SyncInterval. By default, a second.
	SyncEvery time.Duration

	// Size is how many bytes of the disk the queue takes at most, 64 KiB at least. By default, 1 GiB. A record takes 16 bytes
	// more than it has. Space is given back a segment at a time. Records that were damaged and set aside are not counted; they take
	// 1/16 of Size at most.
	Size int64

	// Memory is how many bytes a volatile queue holds in memory. By default, 16 MiB.
	Memory int64

	// Segment is the size of a file from which on the next one is begun, 4 KiB to Size/4. By default, Size/32, 16 MiB at most.
	Segment int64

	// Full says what happens when there is no room. By default, FullWait.
	Full Full

	// Reuse has Peek and PeekBatch use memory again, which takes a backlog out two to three times as fast: the data of a record is
	// good until Ack is called for it, or for one after it, and must not be looked at any more then. Up to 4 MiB are kept for the
	// next records. A Reader is not concerned. By default, data may be kept.
	Reuse bool

	// OnLoss is told of records that nobody will get, in order, by the call that has found it out, or by another one that is at it. It
	// never runs beside itself, and may call the queue. By default, losses are only counted.
	OnLoss func(Loss)
}

// Loss is a range of records that nobody will get.
type Loss struct {
	From, To uint64 // sequences of the first and the last. To is From-1 when damage has hit no record
	Reason   Reason
	File     string // where the bytes of damaged records are, empty when they could not be kept
}

// Reason is why records are lost.
type Reason string

const (
	// Dropped records had to make room: [FullDrop].
	Dropped Reason = "dropped"
	// Damaged records are not as they were written.
	Damaged Reason = "damaged"
	// Removed records were in a file that somebody has removed, cut or replaced.
	Removed Reason = "removed"
)

// complete returns the configuration with its defaults, or what is wrong with it.
func (c QueueConfig) complete() (QueueConfig, error) {
	c.Size = cmp.Or(c.Size, defaultSize)
	c.Memory = cmp.Or(c.Memory, defaultMemory)
	c.SyncEvery = cmp.Or(c.SyncEvery, defaultSyncEvery)
	c.Segment = cmp.Or(c.Segment, min(max(c.Size/32, minSegment), maxSegment))
	switch {
	case c.Dir == "" && !c.Volatile:
		return c, errors.New("a durable queue needs a folder")
	case c.Size < minSize:
		return c, fmt.Errorf("size of %d bytes is less than %d", c.Size, minSize)
	case c.Memory < 0:
		return c, fmt.Errorf("memory of %d bytes", c.Memory)
	case c.SyncEvery < 0:
		return c, fmt.Errorf("sync every %s", c.SyncEvery)
	case c.Segment < minSegment || c.Segment > c.Size/4:
		return c, fmt.Errorf("segment of %d bytes is not within %d and %d", c.Segment, minSegment, c.Size/4)
	case c.Sync < 0 || int(c.Sync) >= len(syncNames):
		return c, fmt.Errorf("sync %d", c.Sync)
	case c.Full < 0 || c.Full >= FullDiscard:
		return c, fmt.Errorf("full %s is none of a queue's", c.Full)
	}
	return c, nil
}
