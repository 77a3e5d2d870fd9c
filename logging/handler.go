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
	if h.log.repeats != nil && !h.log.repeats.first(h, &r) {
		return nil
	}
	h.emit(&r)
	return nil
}

// emit writes a record whether or not it repeats another.
func (h *handler) emit(r *slog.Record) {
	b := h.log.buffers.get()
	*b = h.log.encoder.line(*b, &h.scope, r)
	if h.log.file != nil { // first: a terminal may be slow
		h.log.file.write(*b, r.Level >= slog.LevelError, r.Time)
	}
	if h.log.stream != nil {
		h.log.stream.write(*b)
	}
	h.log.buffers.put(b)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return &handler{h.log, h.log.encoder.with(h.scope, attrs)}
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{h.log, h.log.encoder.group(h.scope, name)}
}
