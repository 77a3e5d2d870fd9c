package l2cache

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// BufferReader reads a [Buffer] from an offset on and follows who writes to it; it gives nothing back. It is not safe for
// concurrent use; any number of readers may be used side by side. It holds nothing that must be closed. What is on disk is read 4 KiB at least at a time: who needs a
// few bytes each time puts a bufio.Reader before it.
type BufferReader struct {
	b   *Buffer
	off int64
}

// Reader returns a reader that begins at an offset.
func (b *Buffer) Reader(off int64) *BufferReader { return &BufferReader{b, off} }

// Offset is that of the byte that is read next.
func (r *BufferReader) Offset() int64 { return r.off }

// Read reads as [BufferReader.ReadContext] without a context does.
func (r *BufferReader) Read(p []byte) (n int, err error) {
	return r.ReadContext(context.Background(), p)
}

// ReadContext reads what is there, and waits for it until ctx is done. It returns io.EOF when all was read and nothing more will
// be written, [ErrGone] when the bytes at its offset were given back or dropped, and [ErrClosed] when the buffer was closed.
func (r *BufferReader) ReadContext(ctx context.Context, p []byte) (n int, err error) {
	for {
		n, err = r.b.read(p, r.off)
		r.off += int64(n)
		if n > 0 || err != nil || len(p) == 0 {
			return n, r.b.wrapRead(err)
		}
		if err := r.b.waitFor(ctx, r.off); err != nil {
			return 0, r.b.wrapRead(err)
		}
	}
}

// Read takes out the oldest bytes, as [Buffer.ReadContext] without a context does.
func (b *Buffer) Read(p []byte) (n int, err error) { return b.ReadContext(context.Background(), p) }

// ReadContext takes out the oldest bytes: their space is given back. It waits for some until ctx is done, and returns io.EOF
// when none are left and nothing more will be written.
func (b *Buffer) ReadContext(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if n := b.takeFast(p); n > 0 {
		return n, nil
	}
	if err := b.enter(ctx, b.taking); err != nil {
		return 0, b.wrapRead(err)
	}
	defer func() { <-b.taking }()
	for {
		b.mu.Lock()
		off := b.start
		b.mu.Unlock()
		n, err = b.read(p, off)
		switch {
		case errors.Is(err, errPassed):
			continue // was dropped meanwhile
		case n > 0:
			return n, b.Truncate(off + int64(n))
		case err != nil:
			return 0, b.wrapRead(err)
		}
		if err := b.waitFor(ctx, off); err != nil {
			return 0, b.wrapRead(err)
		}
	}
}

// takeFast takes bytes out if the oldest are in memory, and nobody else takes some.
func (b *Buffer) takeFast(p []byte) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.taking) > 0 || b.onDisk > 0 || b.start == b.end {
		return 0
	}
	t := b.parts[0]
	n = copy(p, t.mem[b.start-t.off:])
	b.discard(b.start + int64(n)) // nothing of it is on disk
	return n
}

// ReadAt reads at an offset, and waits for nothing: when fewer bytes are there than p can take, the error is io.EOF. Those before
// the start are gone: [ErrGone].
func (b *Buffer) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := b.read(p[n:], off+int64(n))
		n += m
		if m == 0 && err == nil {
			err = io.EOF
		}
		if err != nil {
			return n, b.wrapRead(err)
		}
	}
	return n, nil
}

// read reads what is at an offset, up to the end of a part. When nothing is there yet it returns 0 and no error.
func (b *Buffer) read(p []byte, off int64) (n int, err error) {
	b.mu.Lock()
	switch {
	case b.closed:
		err = ErrClosed
	case off < b.start:
		err = fmt.Errorf("offset %d, the oldest is %d: %w", off, b.start, errPassed)
	case off >= b.end && b.ended:
		err = io.EOF
	}
	t := b.find(off)
	if err != nil || t == nil || len(p) == 0 {
		b.mu.Unlock()
		return 0, err
	}
	p = p[:min(int64(len(p)), t.end()-off)]
	at, mem, slot, sums, length := off-t.off, t.mem, t.slot, t.sums, t.length
	t.users++
	b.reads.Add(1)
	b.mu.Unlock()
	if mem != nil {
		n = copy(p, mem[at:])
	} else {
		n, err = b.slots.read(p, slot, at, length, sums)
	}
	b.mu.Lock()
	var free []int
	if t.users--; t.users == 0 && t.gone {
		free = b.recycle(t)
	}
	b.mu.Unlock()
	b.giveBack(free)
	b.reads.Done()
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrGone) {
		err = &LostError{From: off, To: off - at + min(roundUp(at+1), length), Err: err}
	}
	return n, err
}

// waitFor waits until there is a byte with an offset, or nothing more will be written.
func (b *Buffer) waitFor(ctx context.Context, off int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.end <= off && !b.ended && off >= b.start {
		if err := b.wait(ctx, &b.wake, nil); err != nil {
			return err
		}
	}
	return nil
}

// wrapRead says in an error that reading failed. The end is io.EOF as it is.
func (b *Buffer) wrapRead(err error) error {
	if err == io.EOF {
		return err
	}
	return b.wrap("read", err)
}
