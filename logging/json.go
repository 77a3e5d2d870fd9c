package logging

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonWith returns s with attrs added.
func jsonWith(s scope, attrs []slog.Attr) scope {
	s.attrs = slices.Clone(s.attrs)
	start := len(s.attrs)
	b := appendJSONGroups(s.attrs, s.groups)
	opened := len(b)
	for i := range attrs {
		b = appendJSONAttr(b, &attrs[i])
	}
	if len(b) == opened { // nothing to see in them: the groups stay closed
		s.attrs = b[:start]
		return s
	}
	s.attrs = b
	s.open += len(s.groups)
	s.groups = nil
	return s
}

// jsonGroup returns s with a group opened.
func jsonGroup(s scope, name string) scope {
	s.groups = append(slices.Clone(s.groups), name)
	return s
}

// json appends a record as a line of JSON.
func (e *encoder) json(b []byte, s *scope, r *slog.Record) []byte {
	if r.Time.IsZero() {
		b = append(b, `{"level":"`...)
	} else {
		b = e.clock.appendJSON(b, r.Time)
	}
	b = append(b, levelName(r.Level)...)
	b = append(b, `","msg":`...)
	b = appendJSONString(b, r.Message)
	if e.source {
		if src := r.Source(); src != nil {
			b = appendJSONString(append(b, `,"source":`...), shortSource(src))
		}
	}
	b = append(b, s.attrs...)
	open := s.open
	if r.NumAttrs() > 0 {
		start := len(b)
		b = appendJSONGroups(b, s.groups)
		opened := len(b)
		r.Attrs(func(a slog.Attr) bool {
			b = appendJSONAttr(b, &a)
			return true
		})
		if len(b) == opened {
			b = b[:start]
		} else {
			open += len(s.groups)
		}
	}
	for range open {
		b = append(b, '}')
	}
	return append(b, '}', '\n')
}

// appendJSONGroups opens groups.
func appendJSONGroups(b []byte, groups []string) []byte {
	for _, g := range groups {
		b = append(appendJSONKey(b, g), '{')
	}
	return b
}

// appendJSONKey appends the key of a member, after a comma unless it is the first of its object. What begins with nothing,
// the attributes of a scope, is never the first: the message comes before it.
func appendJSONKey(b []byte, key string) []byte {
	if len(b) == 0 || b[len(b)-1] != '{' {
		b = append(b, ',', '"')
	} else {
		b = append(b, '"')
	}
	b, bare := appendBare(b, key, inQuotes)
	if bare {
		return append(b, '"', ':')
	}
	return append(appendJSONEscaped(b, key), '"', ':')
}

// appendJSONAttr appends a member; nothing for a group without members.
func appendJSONAttr(b []byte, a *slog.Attr) []byte {
	v := a.Value
	kind := v.Kind()
	if kind == slog.KindLogValuer {
		v = v.Resolve()
		kind = v.Kind()
	}
	if kind == slog.KindGroup {
		return appendJSONGroup(b, a.Key, v.Group())
	}
	if a.Key == "" && v.Equal(slog.Value{}) {
		return b
	}
	b = appendJSONKey(b, a.Key)
	switch kind {
	case slog.KindString:
		return appendJSONString(b, v.String())
	case slog.KindInt64:
		return appendInt(b, v.Int64())
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindFloat64:
		return appendJSONFloat(b, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return appendInt(b, int64(v.Duration())) // nanoseconds, as slog's own handler has it
	case slog.KindTime:
		return append(v.Time().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
	}
	b = appendJSONAny(b, v.Any())
	if stack := stackOf(v.Any()); stack != nil {
		b = append(appendJSONKey(b, a.Key+".stack"), '[')
		for i, f := range stack {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONString(b, f.String())
		}
		b = append(b, ']')
	}
	return b
}

// appendJSONGroup appends the members of a group, as an object unless it has no name.
func appendJSONGroup(b []byte, name string, members []slog.Attr) []byte {
	start := len(b)
	if name != "" {
		b = append(appendJSONKey(b, name), '{')
	}
	opened := len(b)
	for i := range members {
		b = appendJSONAttr(b, &members[i])
	}
	if len(b) == opened {
		return b[:start]
	}
	if name != "" {
		b = append(b, '}')
	}
	return b
}

// appendJSONFloat appends what JSON has no number for as a string.
func appendJSONFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(strconv.AppendFloat(append(b, '"'), f, 'g', -1, 64), '"')
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendJSONAny appends a value of a type of the program's own, whose methods may panic.
func appendJSONAny(b []byte, a any) (out []byte) {
	start := len(b)
	defer func() {
		if p := recover(); p != nil {
			out = appendJSONString(b[:start], panicText(a, p))
		}
	}()
	if err, ok := a.(error); ok {
		if _, ok := a.(json.Marshaler); !ok {
			return appendJSONString(b, err.Error())
		}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		return appendJSONString(b, "!ERROR:"+err.Error())
	}
	return appendJSONSafe(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// appendJSONSafe appends JSON in whose strings what is not printable is escaped too.
func appendJSONSafe(b, text []byte) []byte {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		invalid := r == utf8.RuneError && n == 1 // a MarshalJSON may return what is not UTF-8
		if !invalid && (r < 0x7f || printable(r)) {
			b = append(b, text[i:i+n]...)
		} else {
			b = appendJSONRune(b, r)
		}
		i += n
	}
	return b
}

// appendJSONString appends s as a JSON string.
func appendJSONString(b []byte, s string) []byte {
	b, bare := appendBare(append(b, '"'), s, inQuotes)
	if !bare {
		b = appendJSONEscaped(b, s)
	}
	return append(b, '"')
}

// appendJSONEscaped appends what is in the quotes of a JSON string: what is not printable is escaped, what is not UTF-8 becomes
// U+FFFD.
func appendJSONEscaped(b []byte, s string) []byte {
	for {
		n := verbatim(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return b
		}
		var escaped int
		b, escaped = appendJSONEscape(b, s[n:])
		s = s[n+escaped:]
	}
}

// appendJSONEscape appends the escape of the character that s begins with, and returns its length in s.
func appendJSONEscape(b []byte, s string) ([]byte, int) {
	switch s[0] {
	case '"', '\\':
		return append(b, '\\', s[0]), 1
	case '\n':
		return append(b, `\n`...), 1
	case '\r':
		return append(b, `\r`...), 1
	case '\t':
		return append(b, `\t`...), 1
	}
	r, n := utf8.DecodeRuneInString(s)
	return appendJSONRune(b, r), n
}

// appendJSONRune appends r as \u and four digits, or as two of them beyond the first 65,536 characters.
func appendJSONRune(b []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		b = appendHex(append(b, `\u`...), 0xd800+uint32(r)>>10, 4)
		r = 0xdc00 + r&0x3ff
	}
	return appendHex(append(b, `\u`...), uint32(r), 4)
}
