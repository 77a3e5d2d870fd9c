package logging

import (
	"encoding"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
)

// textWith returns s with attrs added.
func textWith(s scope, attrs []slog.Attr) scope {
	s.attrs = slices.Clone(s.attrs)
	for i := range attrs {
		s.attrs = appendTextAttr(s.attrs, s.prefix, &attrs[i])
	}
	return s
}

// textGroup returns s with a group opened.
func textGroup(s scope, name string) scope {
	s.prefix += name + "."
	return s
}

// text appends a record as a line of text.
func (e *encoder) text(b []byte, s *scope, r *slog.Record) []byte {
	if !r.Time.IsZero() {
		b = e.clock.appendText(b, r.Time)
	}
	b = append(b, levelName(r.Level)...)
	b = append(b, ' ')
	b, bare := appendBareMessage(b, r.Message)
	if !bare {
		b = appendQuoted(b, r.Message)
	}
	if e.source {
		if src := r.Source(); src != nil {
			b = appendTextString(append(b, " source="...), shortSource(src))
		}
	}
	b = append(b, s.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		b = appendTextAttr(b, s.prefix, &a)
		return true
	})
	return append(b, '\n')
}

// appendTextAttr appends a blank, the key, '=' and the value; for a group, all that is in it.
func appendTextAttr(b []byte, prefix string, a *slog.Attr) []byte {
	v := a.Value
	kind := v.Kind()
	if kind == slog.KindLogValuer {
		v = v.Resolve()
		kind = v.Kind()
	}
	if kind == slog.KindGroup {
		return appendTextGroup(b, prefix, a.Key, v.Group())
	}
	if a.Key == "" && v.Equal(slog.Value{}) {
		return b
	}
	b = appendTextKey(b, prefix, a.Key)
	switch kind {
	case slog.KindString:
		return appendTextString(b, v.String())
	case slog.KindInt64:
		return appendInt(b, v.Int64())
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindFloat64:
		return strconv.AppendFloat(b, v.Float64(), 'g', -1, 64)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return appendDuration(b, v.Duration())
	case slog.KindTime:
		return v.Time().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	}
	b = appendTextAny(b, v.Any())
	if stack := stackOf(v.Any()); stack != nil {
		b = appendTextKey(b, prefix, a.Key+".stack")
		b = appendTextString(b, stackText(stack))
	}
	return b
}

// appendTextGroup appends the members of a group; their keys begin with its name, unless it has none.
func appendTextGroup(b []byte, prefix, name string, members []slog.Attr) []byte {
	if name != "" {
		prefix += name + "."
	}
	for i := range members {
		b = appendTextAttr(b, prefix, &members[i])
	}
	return b
}

func appendTextKey(b []byte, prefix, key string) []byte {
	b = append(b, ' ')
	start, bare := len(b), true
	if prefix != "" {
		b, bare = appendBare(b, prefix, inValue)
	}
	if bare {
		b, bare = appendBare(b, key, inValue)
	}
	if !bare {
		b = appendQuoted(b[:start], prefix+key)
	}
	return append(b, '=')
}

func appendTextString(b []byte, s string) []byte {
	b, bare := appendBare(b, s, inValue)
	if bare {
		return b
	}
	return appendQuoted(b, s)
}

// appendTextAny appends a value of a type of the program's own, whose methods may panic.
func appendTextAny(b []byte, a any) (out []byte) {
	start := len(b)
	defer func() {
		if p := recover(); p != nil {
			out = appendTextString(b[:start], panicText(a, p))
		}
	}()
	switch a := a.(type) {
	case nil:
		return append(b, "<nil>"...)
	case error:
		return appendTextString(b, a.Error())
	case encoding.TextMarshaler:
		text, err := a.MarshalText()
		if err != nil {
			return appendTextString(b, "!ERROR:"+err.Error())
		}
		return appendTextString(b, string(text))
	case []byte:
		return appendTextString(b, string(a))
	}
	return appendTextString(b, fmt.Sprintf("%+v", a))
}

// panicText stands for a value whose methods panic; a nil pointer is what it is.
func panicText(a, p any) string {
	if isNilPointer(a) {
		return "<nil>"
	}
	return fmt.Sprintf("!PANIC: %v", p)
}
