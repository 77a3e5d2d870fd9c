package conn

import (
	"context"

	"github.com/gorilla/websocket"
)

// Ping asks the peer for a sign of life, and waits for any: a pong or whatever else is read. It needs another goroutine
// that receives. When the connection ends first, it returns why.
func (c *Conn) Ping(ctx context.Context) error {
	heard := c.life.nextByte()
	if err := c.SendPing(ctx); err != nil {
		return err
	}
	if end := c.end.Load(); end != nil {
		return *end
	}
	select {
	case <-heard:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if end := c.end.Load(); end != nil {
		return *end
	}
	return nil
}

// SendPing sends a ping and waits for nothing but its turn in the control lane.
func (c *Conn) SendPing(ctx context.Context) error {
	if err := c.turn(ctx, Control); err != nil {
		return err
	}
	defer c.gate.leave()
	if err := c.sendControl(websocket.PingMessage, nil); err != nil {
		return c.broken(err)
	}
	return nil
}

// gotPing has a ping answered. The receiving goroutine must not do it: two peers that both wait to write would wait for
// ever. Of pings that come faster than they can be answered, the newest counts (RFC 6455, section 5.5.3), so that a flood
// of them keeps two goroutines busy and no more: one that writes, one that waits.
func (c *Conn) gotPing(data string) error {
	if c.closing() || c.pong.Swap(&data) != nil {
		return nil // nobody waits for an answer, or somebody is about to give it
	}
	c.tasks.Go(func() {
		if c.turn(context.Background(), Control) != nil {
			return
		}
		defer c.gate.leave()
		newest := c.pong.Swap(nil)
		if err := c.sendControl(websocket.PongMessage, []byte(*newest)); err != nil {
			_ = c.broken(err) // nobody waits for the pong to be sent
		}
	})
	return nil
}
