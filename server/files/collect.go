package files

import (
	"context"
	"crypto/md5"
	"errors"
	"hash"
	"io"
	"math"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

const (
	// maxBlock is how large a block of a file may be, in bytes.
	maxBlock = 1 << 20

	// blockMemory is how much of a file is in memory before the client has read it, in bytes; the rest is on disk.
	blockMemory = 256 << 10
)

// collect has an agent of the field send a file among its messages. It cannot be made to wait, so what the client has not read
// yet is kept.
func (f *Files) collect(ctx context.Context, agent, path string, offset int64) (*Download, error) {
	buffer, err := f.spool.Buffer(l2cache.BufferConfig{Memory: blockMemory, Size: f.cfg.Disk, Full: l2cache.FullRefuse})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	c := &collection{ctx: ctx, buffer: buffer, sum: md5.New(), info: make(chan wire.DownloadInfoPayload, 1)}
	c.patience = time.AfterFunc(math.MaxInt64, func() { cancel(ErrStalled) })
	var calling sync.WaitGroup
	calling.Go(func() {
		err := f.fleet.Call(ctx, agent, func(b []byte, task string) ([]byte, error) {
			return wire.Download.Append(b, task, &wire.DownloadPayload{Dir: path})
		}, c.take)
		c.patience.Stop()
		c.end(err)
	})
	d := &Download{Reader: c, close: func() {
		cancel(context.Canceled)
		calling.Wait()
		_ = buffer.Close() // it is gone either way
	}}
	if d.Size, err = c.announced(offset); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// collection is a file that an agent of the field sends. The bytes are read out of the buffer, which gives back their room.
type collection struct {
	ctx    context.Context
	buffer *l2cache.Buffer
	info   chan wire.DownloadInfoPayload // has room for one; closed at the end

	// patience runs from the first answer on: before it, such an agent sends other files, one after the other, and reads all of this
	// one for its sum. How long that may take, ctx says.
	patience *time.Timer

	// For who takes answers.
	size, have uint64
	begun      bool

	// For who reads.
	sum  hash.Hash
	want [md5.Size]byte

	mu  sync.Mutex // guards the field below
	err error      // of the agent's part
}

// take takes an answer.
func (c *collection) take(f *wire.Frame) (last bool, err error) {
	c.patience.Reset(patience)
	if c.begun {
		err = c.takeBlock(f)
	} else {
		err = c.takeInfo(f)
	}
	return c.have == c.size, err
}

func (c *collection) takeInfo(f *wire.Frame) error {
	if err := replied(f, wire.DownloadInfo.Type()); err != nil {
		return err
	}
	p, err := wire.DownloadInfo.Decode(f)
	if err != nil {
		return err
	}
	if _, err := check(p); err != nil {
		return err
	}
	c.begun, c.size = true, p.Size
	c.info <- p
	return nil
}

func (c *collection) takeBlock(f *wire.Frame) error {
	if err := replied(f, wire.DownloadData.Type()); err != nil {
		return err
	}
	p, err := wire.DownloadData.Decode(f)
	if err != nil {
		return err
	}
	data, err := block.Decode(p.Data, maxBlock)
	if err != nil {
		return badData("%v", err)
	}
	if p.Offset != c.have || uint64(len(data)) > c.size-c.have || len(data) == 0 {
		return badData("a block of %d bytes at %d does not follow %d of %d bytes", len(data), p.Offset, c.have, c.size)
	}
	c.have += uint64(len(data))
	_, err = c.buffer.Write(data)
	return err
}

// end notes how the agent's part ended.
func (c *collection) end(err error) {
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
	c.buffer.CloseWrite()
	close(c.info)
}

func (c *collection) verdict() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// announced waits for what the agent says of the file, and skips what is not wanted of it.
func (c *collection) announced(skip int64) (int64, error) {
	p, ok := <-c.info
	if !ok {
		if err := c.verdict(); err != nil {
			return 0, err
		}
		return 0, server.ErrGone
	}
	c.want = p.MD5
	size := int64(p.Size)
	if skip > 0 && skip >= size {
		return 0, errRange
	}
	_, err := io.CopyN(io.Discard, c, skip)
	return size, err
}

// Read reads the file.
func (c *collection) Read(p []byte) (int, error) {
	n, err := c.buffer.ReadContext(c.ctx, p)
	c.sum.Write(p[:n])
	if err == nil || !errors.Is(err, io.EOF) {
		return n, err
	}
	if err := c.verdict(); err != nil {
		return n, err
	}
	if [md5.Size]byte(c.sum.Sum(nil)) != c.want {
		return n, ErrChecksum
	}
	return n, io.EOF
}
