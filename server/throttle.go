package server

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// noisePerSecond is how many lines a second bad company can put into the log, trafficPerSecond how many agents that
	// come and go can.
	noisePerSecond   = 10
	trafficPerSecond = 100
)

// throttle logs what peers can cause at will, at a bounded rate.
type throttle struct {
	log     *slog.Logger
	level   slog.Level
	rate    *admission
	skipped atomic.Int64
}

func newThrottle(log *slog.Logger, level slog.Level, perSecond int) *throttle {
	return &throttle{log: log, level: level, rate: newAdmission(perSecond)}
}

// say logs one line, or counts it; the next line says how many were skipped.
func (t *throttle) say(msg string, attrs ...slog.Attr) {
	if _, ok := t.rate.admit(time.Now()); !ok {
		t.skipped.Add(1)
		return
	}
	if n := t.skipped.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("skipped_lines", n))
	}
	t.log.LogAttrs(context.Background(), t.level, msg, attrs...)
}

// Write makes a line of what the HTTP servers want to log.
func (t *throttle) Write(p []byte) (int, error) {
	t.say("http", slog.String("err", strings.TrimSpace(string(p))))
	return len(p), nil
}
