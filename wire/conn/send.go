package conn

import (
	"context"
	"time"

	"github.com/gorilla/websocket"
)

// Lane is the priority of what is sent.
type Lane int

const (
	// Control is for what must not wait: pings, handshakes, kills, answers to requests.
	Control Lane = iota
	// Bulk is for what may wait: reports, output of commands, files.
	Bulk
)

// Send writes frames in the order given, and returns when the kernel has taken all of them; they may be reused then. It
// waits its turn in its lane until ctx is done. An error of the connection, or a peer that takes no bytes for
// [Options.WriteTimeout], ends the connection: frames may then have been received or not.
//
// Between the frames of one call, frames of the control lane may go out.
func (c *Conn) Send(ctx context.Context, lane Lane, frames ...[]byte) error {
	for len(frames) > 0 {
		if err := c.gate.enter(ctx, lane); err != nil {
			return err
		}
		n, err := c.write(frames)
		c.gate.leave()
		if err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

// write writes frames until about corkSize bytes are out, so that nobody waits long for a turn. It returns how many
// frames it has written. The caller holds the gate.
func (c *Conn) write(frames [][]byte) (int, error) {
	c.nc.cork()
	n, size := 0, 0
	var err error
	for ; n < len(frames) && size < corkSize && err == nil; n++ {
		size += len(frames[n])
		c.ws.EnableWriteCompression(len(frames[n]) >= c.compressFrom)
		err = c.ws.WriteMessage(websocket.TextMessage, frames[n])
	}
	if e := c.nc.flush(); err == nil {
		err = e
	}
	if err != nil {
		return n, c.broken(err)
	}
	c.outFrames.Add(uint64(n))
	c.outBytes.Add(uint64(size))
	return n, nil
}

// broken ends a connection that could not be written, without a word: half a frame may be out.
func (c *Conn) broken(err error) error {
	if c.closing.Load() {
		return ErrClosed
	}
	c.cause.CompareAndSwap(nil, &err)
	c.nc.Close()
	return *c.cause.Load()
}

// Ping asks the peer for a sign of life, and waits for any: a pong or whatever else is read. It needs another goroutine
// that receives.
func (c *Conn) Ping(ctx context.Context) error {
	heard := c.nc.notifyHeard()
	if err := c.SendPing(ctx); err != nil {
		return err
	}
	select {
	case <-heard:
		return nil
	case <-c.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// SendPing sends a ping and waits for nothing.
func (c *Conn) SendPing(ctx context.Context) error {
	return c.sendControl(ctx, websocket.PingMessage, nil)
}

func (c *Conn) sendControl(ctx context.Context, kind int, data []byte) error {
	if err := c.gate.enter(ctx, Control); err != nil {
		return err
	}
	defer c.gate.leave()
	if err := c.ws.WriteControl(kind, data, time.Time{}); err != nil {
		return c.broken(err)
	}
	return nil
}

// gotPing has a ping answered. The receiving goroutine must not do it: two peers that both wait to write would wait for
// ever. Of pings that come faster than they can be answered, the newest counts (RFC 6455, section 5.5.3).
func (c *Conn) gotPing(data string) error {
	if c.pong.Swap(&data) != nil {
		return nil // somebody is about to answer
	}
	c.tasks.Go(func() {
		if c.gate.enter(context.Background(), Control) != nil {
			return
		}
		defer c.gate.leave()
		data := c.pong.Swap(nil)
		if err := c.ws.WriteControl(websocket.PongMessage, []byte(*data), time.Time{}); err != nil {
			c.broken(err)
		}
	})
	return nil
}
