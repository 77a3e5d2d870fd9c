package libagent

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// What a server says is logged up to so many bytes, and complaints about it so often a second: it must not fill the disk of
// the host.
const (
	maxPeerText  = 256
	maxErrorText = 4 << 10 // of an answer
	maxNoise     = 5
)

// clip shortens a text that a peer, or a handler, has made.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// throttle lets maxNoise lines a second through and counts the others.
type throttle struct {
	mu      sync.Mutex // guards what follows
	since   time.Time
	written int
	dropped int
}

// warn logs a warning, if there have not been too many lines in this second.
func (t *throttle) warn(log *slog.Logger, msg string, attrs ...slog.Attr) {
	t.log(log, slog.LevelWarn, msg, attrs...)
}

// log logs a line, if there have not been too many in this second.
func (t *throttle) log(log *slog.Logger, level slog.Level, msg string, attrs ...slog.Attr) {
	if !log.Enabled(context.Background(), level) {
		return
	}
	t.mu.Lock()
	now := time.Now()
	if now.Sub(t.since) >= time.Second {
		if t.dropped > 0 {
			attrs = append(attrs, slog.Int("more_before", t.dropped))
		}
		t.since, t.written, t.dropped = now, 0, 0
	}
	t.written++
	quiet := t.written > maxNoise
	if quiet {
		t.dropped++
	}
	t.mu.Unlock()
	if !quiet {
		log.LogAttrs(context.Background(), level, msg, attrs...)
	}
}

// complaint is the last failure to connect to a server that was logged.
type complaint struct {
	reason string
	at     time.Time
}

// reason is the text of an error without what differs each time, as the local port does.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}
