package l2cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
)

// BufferConfig is how a [Buffer] shall be. The zero value is a buffer in memory alone.
type BufferConfig struct {
	// Spool is the folder for what memory has no room for. By default, there is none.
	Spool *Spool

	// Memory is how many bytes are held in memory before the disk is used, 4 KiB at least. What was taken stays with the buffer until
	// it is closed. By default, 1 MiB.
	Memory int64

	// Size is how many bytes the buffer holds at most, in memory and on disk. By default, 64 MiB with a spool, else Memory, which
	// is the most that there may be then.
	Size int64

	// Full says what happens when Size is reached, or that of the spool. By default, FullWait: who writes waits until there is
	// room. FullRefuse takes what fits and returns [ErrFull], FullDrop drops the oldest bytes, and FullDiscard keeps the first Size
	// bytes and counts the rest, which is what the output of a command needs.
	Full Full
}

// Buffer is a FIFO of bytes, in memory and on disk beyond. Bytes have offsets, which begin with 0 and grow for ever.
// [Buffer.Read] takes the oldest bytes out; a [BufferReader] and [Buffer.ReadAt] leave them where they are, until
// [Buffer.Truncate] gives them back. All methods are safe for concurrent use, and none of them makes a goroutine.
//
// Who reads gets what was written, or an error: bytes that were on disk are compared with a checksum.
type Buffer struct {
	cfg   BufferConfig
	piece int64         // size of a part
	slots *slots        // nil: memory only
	done  chan struct{} // closed by Close

	writing chan struct{}  // has room for one: who is in it may write
	taking  chan struct{}  // has room for one: who is in it may take out
	reads   sync.WaitGroup // that are under way
	once    sync.Once      // of Close

	mu         sync.Mutex // guards what follows
	parts      []*part    // in order, from start to end; those on disk come first
	onDisk     int        // parts that are
	start, end int64
	memory     int64
	spare      [][]byte      // memory of parts that are gone, of the full size
	wake       chan struct{} // closed when there is more to read; nil when nobody waits
	room       chan struct{} // closed when there is more room; nil when nobody waits
	stats      BufferStats
	fault      fault
	cut        bool // FullDiscard has begun to discard
	ended      bool // nothing more is written
	closed     bool
}

// BufferStats are numbers of a [Buffer].
type BufferStats struct {
	Start, End int64 // offsets of the oldest byte, and after the newest one
	Memory     int64 // bytes of memory
	Disk       int64 // bytes of the disk

	Dropped   int64 // bytes, to make room: FullDrop
	Discarded int64 // bytes that had no room: FullDiscard. When there are any, what follows End is missing

	Faults uint64 // of the disk, since the start
	Fault  error  // the one that lasts, nil when the disk does what it shall
}

// Sizes where the configuration says nothing, and the least.
const (
	defaultBufferMemory = 1 << 20
	defaultBufferSize   = 64 << 20
	minBufferMemory     = 4 << 10
)

// NewBuffer makes a buffer. It takes memory as bytes come, and makes a file when memory is full.
func NewBuffer(cfg BufferConfig) (*Buffer, error) {
	cfg.Memory = cmp.Or(cfg.Memory, defaultBufferMemory)
	if cfg.Spool == nil {
		cfg.Size = cmp.Or(cfg.Size, cfg.Memory)
	}
	cfg.Size = cmp.Or(cfg.Size, defaultBufferSize)
	switch {
	case cfg.Memory < minBufferMemory:
		return nil, fmt.Errorf("new buffer: memory of %d bytes is less than %d", cfg.Memory, minBufferMemory)
	case cfg.Size < 0:
		return nil, fmt.Errorf("new buffer: size of %d bytes", cfg.Size)
	case cfg.Spool == nil && cfg.Size > cfg.Memory:
		return nil, fmt.Errorf("new buffer: without a spool, size of %d bytes is more than the memory of %d", cfg.Size, cfg.Memory)
	case cfg.Full < 0 || int(cfg.Full) >= len(fullNames):
		return nil, fmt.Errorf("new buffer: full %d", cfg.Full)
	}
	b := &Buffer{
		cfg: cfg, piece: min(cfg.Memory/8, maxPart),
		done: make(chan struct{}), writing: make(chan struct{}, 1), taking: make(chan struct{}, 1),
	}
	if cfg.Spool != nil {
		b.slots = &slots{spool: cfg.Spool, size: b.piece}
		if err := cfg.Spool.enlist(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// CloseWrite says that nothing more will be written: who reads gets io.EOF at the end. A Write that waits for room, and those
// that follow, return [ErrClosed].
func (b *Buffer) CloseWrite() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.signal(&b.wake)
	b.signal(&b.room)
}

// Close ends the buffer and removes its file. Calls that wait return [ErrClosed].
func (b *Buffer) Close() (err error) {
	b.once.Do(func() { err = b.close() })
	return err
}

func (b *Buffer) close() error {
	b.mu.Lock()
	b.closed, b.ended = true, true
	close(b.done)
	b.mu.Unlock()
	b.writing <- struct{}{} // who writes to the disk ends first
	defer func() { <-b.writing }()
	b.reads.Wait()

	b.mu.Lock()
	defer b.mu.Unlock()
	disk := b.disk()
	b.parts, b.onDisk, b.spare, b.memory = nil, 0, nil, 0
	if b.slots == nil {
		return nil
	}
	name, err := b.slots.close()
	b.cfg.Spool.giveBack(disk)
	return wrap("close buffer", name, errors.Join(err, b.cfg.Spool.dismiss(b, name)))
}

// Truncate gives back all bytes before an offset: nobody can read them any more. Those that are given back already may be given
// back again.
func (b *Buffer) Truncate(off int64) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return b.wrap("truncate", ErrClosed)
	}
	if off > b.end {
		defer b.mu.Unlock()
		return b.wrap("truncate", fmt.Errorf("offset %d, the end is %d: %w", off, b.end, ErrAhead))
	}
	free := b.discard(off)
	b.mu.Unlock()
	b.giveBack(free)
	return nil
}

// Stats returns the numbers of now.
func (b *Buffer) Stats() BufferStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Start, s.End = b.start, b.end
	s.Memory, s.Disk = b.memory+int64(len(b.spare))*b.piece, b.disk()
	s.Faults, s.Fault = b.fault.count, b.fault.err
	return s
}

// signal wakes those that wait.
func (b *Buffer) signal(waiting *chan struct{}) {
	if *waiting != nil {
		close(*waiting)
		*waiting = nil
	}
}

// wait waits for one of the signals. The caller has the lock, which is given back meanwhile.
func (b *Buffer) wait(ctx context.Context, waiting *chan struct{}, or <-chan struct{}) error {
	if *waiting == nil {
		*waiting = make(chan struct{})
	}
	signal := *waiting
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case <-signal:
		return nil
	case <-or:
		return nil
	case <-b.done:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// enter waits until the caller is the only one in a place, which it leaves by receiving from it.
func (b *Buffer) enter(ctx context.Context, place chan struct{}) error {
	select {
	case place <- struct{}{}:
		return nil // even if ctx is done
	default:
	}
	select {
	case place <- struct{}{}:
		return nil
	case <-b.done:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wrap says in an error what failed.
func (b *Buffer) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s buffer: %w", what, err)
}
