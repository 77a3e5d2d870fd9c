package kvconf

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A valueError is what is wrong with a value.
type valueError struct {
	kind   error
	msg    string
	offset int     // of the place within the value, in bytes
	path   string  // of the place within a JSON value
	object *object // for an unknown name within a JSON value, the object that has no place for it
	name   string
	secret bool // the value is not for anybody's eyes
	err    error
}

func (e *valueError) Error() string { return e.msg }

func (e *valueError) Unwrap() []error {
	if e.err != nil {
		return []error{e.kind, e.err}
	}
	return []error{e.kind}
}

func badValue(format string, args ...any) error {
	return &valueError{kind: ErrValue, msg: fmt.Sprintf(format, args...)}
}

func outOfRange(format string, args ...any) error {
	return &valueError{kind: ErrRange, msg: fmt.Sprintf(format, args...)}
}

// setScalar reads s into v, for the shapes that are a word.
func (c *codec) setScalar(v reflect.Value, s string) error {
	switch c.shape {
	case shapeString:
		v.SetString(s)
	case shapeBytes:
		v.SetBytes([]byte(s))
	case shapeBool:
		return setBool(v, s)
	case shapeInt:
		return setInt(v, s)
	case shapeUint:
		return setUint(v, s)
	case shapeFloat:
		return setFloat(v, s)
	case shapeDuration:
		return setDuration(v, s)
	case shapeSize:
		return setSize(v, s)
	case shapeText:
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			return &valueError{kind: ErrValue, msg: err.Error(), err: err}
		}
	case shapeAny:
		v.Set(reflect.ValueOf(s))
	}
	return nil
}

func setBool(v reflect.Value, s string) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return badValue("%s is not true or false", quoted(s))
	}
	v.SetBool(b)
	return nil
}

func setInt(v reflect.Value, s string) error {
	width := v.Type().Bits()
	n, err := strconv.ParseInt(s, 10, width)
	switch {
	case err == nil:
		v.SetInt(n)
		return nil
	case errors.Is(err, strconv.ErrRange):
		least := int64(math.MinInt64) >> (64 - width)
		return outOfRange("%s is not between %d and %d", shorten(s), least, -(least + 1))
	}
	return badValue("%s is not a whole number", quoted(s))
}

func setUint(v reflect.Value, s string) error {
	width := v.Type().Bits()
	n, err := strconv.ParseUint(s, 10, width)
	switch {
	case err == nil:
		v.SetUint(n)
		return nil
	case errors.Is(err, strconv.ErrRange), isWhole(strings.TrimPrefix(s, "-")):
		return outOfRange("%s is not between 0 and %d", shorten(s), uint64(math.MaxUint64)>>(64-width))
	}
	return badValue("%s is not a whole number", quoted(s))
}

func isWhole(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func setFloat(v reflect.Value, s string) error {
	width := v.Type().Bits()
	f, err := strconv.ParseFloat(s, width)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return outOfRange("%s is too large for float%d", shorten(s), width)
	case err != nil || math.IsNaN(f) || math.IsInf(f, 0):
		return badValue("%s is not a number", quoted(s))
	}
	v.SetFloat(f)
	return nil
}

func setDuration(v reflect.Value, s string) error {
	d, err := time.ParseDuration(s)
	if err == nil {
		v.SetInt(int64(d))
		return nil
	}
	if isDuration(s) {
		return outOfRange("%s is longer than 292 years", shorten(s))
	}
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz ")
	switch unit := trimLeft(s[len(number):]); {
	case isWhole(number) && unit == "":
		return badValue("%s has no unit; seconds are %ss", quoted(s), shorten(number))
	case unit == "d" && isWhole(number) && len(number) < 6:
		days, _ := strconv.Atoi(number)
		return badValue("%s is not a duration: there are no days, write %dh", quoted(s), days*24)
	}
	return badValue("%s is not a duration such as 500ms, 30s, 5m or 1h30m", quoted(s))
}

// isDuration reports whether s has the form of a duration.
func isDuration(s string) bool {
	if s == "" {
		return false
	}
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	for s != "" {
		rest := strings.TrimLeft(s, "0123456789.")
		unit := rest[:len(rest)-len(strings.TrimLeft(rest, "nuµmsh"))]
		switch unit {
		case "ns", "us", "µs", "ms", "s", "m", "h":
		default:
			return false
		}
		if number := s[:len(s)-len(rest)]; number == "" || !isWhole(strings.Replace(number, ".", "", 1)) {
			return false
		}
		s = rest[len(unit):]
	}
	return true
}

func setSize(v reflect.Value, s string) error {
	n, err := ParseSize(s)
	if err != nil {
		return err
	}
	width := v.Type().Bits()
	largest := uint64(math.MaxUint64) >> (64 - width)
	if v.CanInt() {
		largest >>= 1
	}
	if n > largest {
		return outOfRange("%s is more than the %s bytes that are possible here", shorten(s), FormatSize(largest))
	}
	if v.CanInt() {
		v.SetInt(int64(n))
	} else {
		v.SetUint(n)
	}
	return nil
}

// appendScalar writes v as setScalar reads it.
func (c *codec) appendScalar(dst []byte, v reflect.Value) ([]byte, error) {
	switch c.shape {
	case shapeString:
		return append(dst, v.String()...), nil
	case shapeBytes:
		return append(dst, v.Bytes()...), nil
	case shapeBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case shapeInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case shapeUint:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case shapeFloat:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return dst, unwritable("%v is not a number that a file can hold", f)
		}
		format := byte('f')
		if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
			format = 'e'
		}
		return strconv.AppendFloat(dst, f, format, -1, v.Type().Bits()), nil
	case shapeDuration:
		return appendDuration(dst, time.Duration(v.Int())), nil
	case shapeSize:
		if !v.CanInt() {
			return appendSize(dst, v.Uint()), nil
		}
		if v.Int() < 0 {
			return dst, unwritable("the size %d is negative", v.Int())
		}
		return appendSize(dst, uint64(v.Int())), nil
	case shapeText:
		return appendMarshaled(dst, v)
	}
	return dst, unwritable("%s has no form in a config file", c.typ)
}

// appendDuration writes d as time.Duration.String does, without the zeros at its end: 1m instead of 1m0s.
func appendDuration(dst []byte, d time.Duration) []byte {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return append(dst, s...)
}

func appendMarshaled(dst []byte, v reflect.Value) ([]byte, error) {
	m, ok := v.Interface().(encoding.TextMarshaler)
	if !ok {
		m, ok = addressable(v).Addr().Interface().(encoding.TextMarshaler)
	}
	if !ok {
		return dst, unwritable("%s can be read from text, but has no MarshalText", v.Type())
	}
	text, err := m.MarshalText()
	if err != nil {
		return dst, &valueError{kind: ErrUnwritable, msg: err.Error(), err: err}
	}
	return append(dst, text...), nil
}

// addressable gives v itself, or a copy of it in a variable.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

func unwritable(format string, args ...any) error {
	return &valueError{kind: ErrUnwritable, msg: fmt.Sprintf(format, args...)}
}
