package libagent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Times of a connection. The server answers a handshake within a minute or not at all, and three heartbeats without a
// sign of life end a connection.
const (
	dialTimeout      = 30 * time.Second
	handshakeTimeout = time.Minute
	heartbeat        = 10 * time.Second
	idleTimeout      = 3 * heartbeat

	// callbackTimeout is how long the next connection waits for the author to note the end of the last one.
	callbackTimeout = 5 * time.Second

	// maxRedirects is how often the agent is sent on before it begins again with its own servers.
	maxRedirects = 5
)

// follow connects to a server, and on to those that it is sent to. It returns how long the established connection
// stood, 0 if there was none, and why there is none any more.
func (ag *Agent) follow(ctx context.Context, server string) (stood time.Duration, err error) {
	seen := make(map[string]bool)
	for range maxRedirects + 1 {
		seen[server] = true
		var redirect []string
		stood, redirect, err = ag.connect(ctx, server)
		if err != nil && ctx.Err() == nil {
			ag.failed(server, stood > 0, err)
		}
		if len(redirect) == 0 {
			return stood, err
		}
		from := server
		server, err = ag.allowedRedirect(redirect)
		if err == nil && seen[server] {
			err = fmt.Errorf("redirected in a circle, to %s again", server)
		}
		if err != nil {
			ag.failed(from, false, err)
			return stood, err
		}
		if ag.secure(from) && !ag.secure(server) {
			server = secureScheme + server // nobody is sent to where it could be read
		}
		ag.log.Info("redirected", "from", from, "to", server)
	}
	err = fmt.Errorf("redirected more than %d times", maxRedirects)
	ag.failed(server, false, err)
	return stood, err
}

// failed notes and logs why there is no connection; the same reason again only once a minute.
func (ag *Agent) failed(server string, established bool, err error) {
	text := clip(err.Error(), maxErrorText)
	ag.mu.Lock()
	ag.link.Server, ag.link.LastError, ag.link.Conflict = server, text, isConflict(err)
	last, now := ag.complaints[server], complaint{clip(reason(err), maxErrorText), time.Now()}
	again := !established && last.reason == now.reason && now.at.Sub(last.at) < time.Minute
	if !again {
		if len(ag.complaints) > 100 { // a server sends the agent to ever new ones
			clear(ag.complaints)
		}
		ag.complaints[server] = now
	}
	ag.mu.Unlock()
	switch {
	case established:
		ag.log.Warn("connection lost", "server", server, "error", text)
	case !again && isConflict(err):
		ag.log.Error("another agent with this id is connected", "server", server, "id", ag.ID(), "error", text)
	case !again:
		ag.log.Warn("cannot connect", "server", server, "error", text)
	}
}

// connect makes one connection and serves it to its end. It returns how long it stood after the handshake, or where
// the server sends the agent instead.
func (ag *Agent) connect(ctx context.Context, server string) (stood time.Duration, redirect []string, err error) {
	dctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, fmt.Errorf("no answer within %v", dialTimeout))
	defer cancel()
	d := conn.Dialer{
		Options: conn.Options{MaxMessage: maxFrame, IdleTimeout: handshakeTimeout + heartbeat, NoCompression: !*ag.basic().Compress},
		NetDial: ag.dialServer(ag.scheme("http", server)),
	}
	url, config, err := ag.wsURL(server)
	if err != nil {
		return 0, nil, err
	}
	d.TLS = config
	c, err := d.Dial(dctx, url)
	if err != nil {
		return 0, nil, err
	}
	// Whoever closes first says why; the later ones wait for it.
	defer c.Close(conn.CodeNormal, "")
	defer context.AfterFunc(ctx, func() { c.Close(conn.CodeGoingAway, context.Cause(ctx).Error()) })()

	h, err := ag.shakeHands(ctx, c, server)
	if err != nil {
		return 0, nil, err
	}
	if len(h.Redirect) > 0 {
		return 0, h.Redirect, nil
	}
	if !h.OK {
		return 0, nil, &RefusedError{Server: server, Msg: h.Msg}
	}
	if err := ag.adopt(h.ID, server); err != nil {
		return 0, nil, err
	}
	begin := time.Now()
	err = ag.serveConn(ctx, c, server, h.Ack >= wire.AckVersion)
	return max(time.Since(begin), 1), nil, err
}

// shakeHands says who the agent is and waits for the server's answer.
func (ag *Agent) shakeHands(ctx context.Context, c *conn.Conn, server string) (wire.HandshakePayload, error) {
	var none wire.HandshakePayload
	late := time.AfterFunc(handshakeTimeout, func() { c.Close(conn.CodePolicy, "no handshake") })
	defer late.Stop()
	come := ag.come(ctx, c.LocalAddr())
	b, err := wire.Come.Append(nil, "", &come)
	if err != nil {
		return none, err
	}
	if err := c.Send(ctx, conn.Control, b); err != nil {
		return none, &HandshakeError{server, err}
	}
	f, err := c.Receive()
	if err != nil {
		if errors.Is(err, conn.ErrClosed) && ctx.Err() == nil {
			err = fmt.Errorf("no answer within %v", handshakeTimeout)
		}
		return none, &HandshakeError{server, err}
	}
	if f.Type != wire.Handshake.Type() {
		return none, &HandshakeError{server, fmt.Errorf("answered with a message of type %d", f.Type)}
	}
	h, err := wire.Handshake.Decode(f)
	if err != nil {
		return none, &HandshakeError{server, err}
	}
	return h, nil
}

// serveConn serves an established connection until it ends, and says why it did. With acks, the server says what is in its
// journal.
func (ag *Agent) serveConn(ctx context.Context, c *conn.Conn, server string, acks bool) error {
	c.SetLimits(maxFrame, idleTimeout)
	sctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	run := func(fn func() error) {
		wg.Go(func() {
			if err := fn(); err != nil && sctx.Err() == nil {
				cancel(err)
				c.Close(conn.CodeGoingAway, "")
			}
		})
	}
	ag.out.connected(acks)
	ag.established(c, server)
	for _, l := range []conn.Lane{conn.Control, conn.Bulk} {
		run(func() error { return ag.deliver(sctx, c, l, acks) })
	}
	run(func() error { return ag.pumpNewest(sctx, c) })
	run(func() error { return ag.pump(sctx, c, conn.Control) })
	run(func() error { return ag.pump(sctx, c, conn.Bulk) })
	run(func() error { return ag.beat(sctx, c) })
	ag.tellConnected(sctx)

	err := ag.receive(c, acks)
	if sctx.Err() != nil && errors.Is(err, conn.ErrClosed) {
		err = context.Cause(sctx)
	}
	cancel(err)
	c.Close(conn.CodeNormal, "")
	wg.Wait()
	ag.disconnected(ctx, c, err)
	return err
}

// receive dispatches what comes, until the connection ends.
func (ag *Agent) receive(c *conn.Conn, acks bool) error {
	for {
		f, err := c.Receive()
		var bad *conn.FrameError
		switch {
		case errors.As(err, &bad):
			ag.noise.warn(ag.log, "bad frame from the server", slog.Int("bytes", bad.Len), slog.String("error", clip(bad.Err.Error(), maxPeerText)))
		case err != nil:
			return err
		default:
			if acks {
				taken, err := ag.out.take(f)
				if err != nil {
					return fmt.Errorf("what the server says to the outbox: %w", err)
				}
				if taken {
					continue
				}
			}
			ag.dispatch(f)
		}
	}
}

// beat pings the server every heartbeat.
func (ag *Agent) beat(ctx context.Context, c *conn.Conn) error {
	t := time.NewTicker(heartbeat)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if err := c.SendPing(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// established notes a connection that stands.
func (ag *Agent) established(c *conn.Conn, server string) {
	proxy := ag.proxyName(ag.scheme("http", server), hostPort(server))
	ag.mu.Lock()
	ag.conn, ag.served = c, server
	ag.link.Connected, ag.link.Server, ag.link.Proxy, ag.link.Since = true, server, proxy, time.Now()
	ag.link.LastError, ag.link.Conflict = "", false
	ag.link.Connections++
	ag.mu.Unlock()
	ag.crashTold()
	attrs := []any{"server", server, "id", ag.ID()}
	if proxy != "" {
		attrs = append(attrs, "proxy", proxy)
	}
	ag.log.Info("connected", attrs...)
	select {
	case ag.reportNow <- struct{}{}:
	default: // a report is due already
	}
}

// disconnected notes the end of an established connection and tells the author. It waits for him, and not for ever.
func (ag *Agent) disconnected(ctx context.Context, c *conn.Conn, err error) {
	ag.mu.Lock()
	ag.past = addStats(ag.past, c.Stats())
	ag.conn = nil
	ag.link.Connected, ag.link.Since = false, time.Now()
	ag.mu.Unlock()
	a, ok := ag.app.(Disconnecter)
	if !ok {
		return
	}
	cctx, cancel := context.WithTimeout(ctx, callbackTimeout)
	defer cancel()
	done := ag.callback("Disconnected", func() { a.Disconnected(cctx, ag, err) })
	select {
	case <-done:
	case <-cctx.Done():
	}
}
