package logging

import "log/slog"

// encoder renders records as lines.
type encoder struct {
	asJSON bool
	source bool // show where the call is
	clock  clock
}

// scope is what With and WithGroup have added to a logger, rendered as far as it can be.
type scope struct {
	attrs  []byte   // rendered attributes
	prefix string   // text: what the keys of further attributes begin with, such as "http.request."
	groups []string // JSON: groups that are not open in attrs, because nothing is in them yet
	open   int      // JSON: how many groups are open at the end of attrs
}

// line appends a record as a line, with its end.
func (e *encoder) line(b []byte, s *scope, r *slog.Record) []byte {
	if e.asJSON {
		return e.json(b, s, r)
	}
	return e.text(b, s, r)
}

// with returns s with attributes added.
func (e *encoder) with(s scope, attrs []slog.Attr) scope {
	if e.asJSON {
		return jsonWith(s, attrs)
	}
	return textWith(s, attrs)
}

// group returns s with a group opened.
func (e *encoder) group(s scope, name string) scope {
	if e.asJSON {
		return jsonGroup(s, name)
	}
	return textGroup(s, name)
}

// levelName is slog's name of a level, without an allocation for the usual ones.
func levelName(l slog.Level) string {
	switch l {
	case slog.LevelDebug:
		return "DEBUG"
	case slog.LevelInfo:
		return "INFO"
	case slog.LevelWarn:
		return "WARN"
	case slog.LevelError:
		return "ERROR"
	}
	return l.String()
}
