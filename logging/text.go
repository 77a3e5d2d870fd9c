package logging

import (
	"encoding"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"
)

// scope is what With and WithGroup have added to a logger, rendered as far as it can be.
type scope struct {
	attrs  []byte   // rendered attributes
	prefix string   // text: what the keys of further attributes begin with, such as "http.request."
	groups []string // JSON: groups that are not open in attrs, because nothing is in them yet
	open   int      // JSON: how many groups are open at the end of attrs
}

// textWith returns s with attrs added.
func textWith(s scope, attrs []slog.Attr) scope {
	s.attrs = slices.Clone(s.attrs)
	for _, a := range attrs {
		s.attrs = appendTextAttr(s.attrs, s.prefix, a)
	}
	return s
}

// textGroup returns s with a group opened.
func textGroup(s scope, name string) scope {
	s.prefix += name + "."
	return s
}

// appendText appends a record as a line of text.
func appendText(b []byte, s *scope, r *slog.Record, source bool) []byte {
	if !r.Time.IsZero() {
		b = appendStamp(b, r.Time, ' ')
		b = append(b, ' ')
	}
	b = append(b, levelName(r.Level)...)
	b = append(b, ' ')
	if bareMessage(r.Message) {
		b = append(b, r.Message...)
	} else {
		b = appendQuoted(b, r.Message)
	}
	if source {
		if src := r.Source(); src != nil {
			b = appendTextString(append(b, " source="...), shortSource(src))
		}
	}
	b = append(b, s.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		b = appendTextAttr(b, s.prefix, a)
		return true
	})
	return append(b, '\n')
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

// appendTextAttr appends a blank, the key, '=' and the value; for a group, all that is in it.
func appendTextAttr(b []byte, prefix string, a slog.Attr) []byte {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, m := range v.Group() {
			b = appendTextAttr(b, prefix, m)
		}
		return b
	}
	if a.Key == "" && v.Equal(slog.Value{}) {
		return b
	}
	b = appendTextKey(b, prefix, a.Key)
	b = appendTextValue(b, v)
	if stack := stackOf(v); stack != nil {
		b = appendTextKey(b, prefix, a.Key+".stack")
		b = appendTextString(b, stackText(stack))
	}
	return b
}

func appendTextKey(b []byte, prefix, key string) []byte {
	b = append(b, ' ')
	if bareValue(key) && (prefix == "" || bareValue(prefix)) {
		b = append(b, prefix...)
		b = append(b, key...)
	} else {
		b = appendQuoted(b, prefix+key)
	}
	return append(b, '=')
}

func appendTextString(b []byte, s string) []byte {
	if bareValue(s) {
		return append(b, s...)
	}
	return appendQuoted(b, s)
}

func appendTextValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendTextString(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindFloat64:
		return strconv.AppendFloat(b, v.Float64(), 'g', -1, 64)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return append(b, v.Duration().String()...)
	case slog.KindTime:
		return v.Time().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	}
	return appendTextAny(b, v.Any())
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

// appendStamp appends the local time with milliseconds, sep between date and time.
func appendStamp(b []byte, t time.Time, sep byte) []byte {
	t = t.Local()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	ms := t.Nanosecond() / int(time.Millisecond)
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02"+string(sep)+"15:04:05.000")
	}
	return append(b,
		digit(year/1000), digit(year/100), digit(year/10), digit(year), '-',
		digit(int(month)/10), digit(int(month)), '-',
		digit(day/10), digit(day), sep,
		digit(hour/10), digit(hour), ':',
		digit(minute/10), digit(minute), ':',
		digit(second/10), digit(second), '.',
		digit(ms/100), digit(ms/10), digit(ms))
}

// digit is the last digit of n.
func digit(n int) byte { return byte('0' + n%10) }
