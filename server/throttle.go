package server

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

// logsPerSecond is how many lines a second bad company can put into the log.
const logsPerSecond = 10

// throttle logs what peers can cause at will, at a bounded rate.
type throttle struct {
	log     *slog.Logger
	rate    *admission
	skipped atomic.Int64
}

func newThrottle(log *slog.Logger) *throttle {
	return &throttle{log: log, rate: newAdmission(logsPerSecond)}
}

// warn logs one line, or counts it; the next line says how many were skipped.
func (t *throttle) warn(msg string, attrs ...slog.Attr) {
	if _, ok := t.rate.admit(time.Now()); !ok {
		t.skipped.Add(1)
		return
	}
	if n := t.skipped.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("skipped_lines", n))
	}
	t.log.LogAttrs(context.Background(), slog.LevelWarn, msg, attrs...)
}

// Write makes a line of what the HTTP servers want to log.
func (t *throttle) Write(p []byte) (int, error) {
	t.warn("http", slog.String("err", strings.TrimSpace(string(p))))
	return len(p), nil
}
