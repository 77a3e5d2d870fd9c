package logging

import (
	"context"
	"log/slog"
)

// handler is the slog.Handler of a Log. Handlers that With and WithGroup make share the Log and differ in their scope.
type handler struct {
	log   *Log
	scope scope
}

var _ slog.Handler = (*handler)(nil)

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.log.level.Level()
}

// Handle writes a record to every target that works. It returns no error: faults are shown and counted by the Log.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	// Here in one piece: after a system call a processor pays for each call that it returns through.
	l := h.log
	b := l.buffers.get()
	*b = l.encoder.line(*b, &h.scope, &r)
	if l.file != nil { // first: a terminal may be slow
		l.file.write(*b, r.Level >= slog.LevelError, r.Time)
	}
	if l.stream != nil {
		l.stream.write(*b)
	}
	l.buffers.put(b)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler { return h.withAttrs(attrs) }

func (h *handler) WithGroup(name string) slog.Handler { return h.withGroup(name) }

func (h *handler) withAttrs(attrs []slog.Attr) *handler {
	if len(attrs) == 0 {
		return h
	}
	return &handler{h.log, h.log.encoder.with(h.scope, attrs)}
}

func (h *handler) withGroup(name string) *handler {
	if name == "" {
		return h
	}
	return &handler{h.log, h.log.encoder.group(h.scope, name)}
}
