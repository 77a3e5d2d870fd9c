package wire

import (
	"math"
	"reflect"
	"strconv"
	"time"
)

// Float2 is a number that stands in a frame with two decimals, rounded to the nearest: 45.00, 0.17.
type Float2 float64

func boolCodec() codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			switch d.at(i) {
			case 't':
				v.SetBool(true)
				return i + len("true")
			case 'f':
				return i + len("false")
			case 'n':
				return i + lenNull
			}
			return d.wrongKind(i, "a boolean")
		},
		encode: func(e *encoder, v reflect.Value) bool {
			e.b = strconv.AppendBool(e.b, v.Bool())
			return true
		},
	}
}

func intCodec(bits int) codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			if d.null(i) {
				return i + lenNull
			}
			n, negative, next := d.integer(i)
			if next < 0 {
				return -1
			}
			x := int64(n)
			if negative {
				x = -x
			}
			if n != 0 && (x < 0) != negative || x<<(64-bits)>>(64-bits) != x {
				return d.fail(i, ErrRange, "")
			}
			v.SetInt(x)
			return next
		},
		encode: func(e *encoder, v reflect.Value) bool {
			e.b = strconv.AppendInt(e.b, v.Int(), 10)
			return true
		},
	}
}

func uintCodec(bits int) codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			if d.null(i) {
				return i + lenNull
			}
			n, negative, next := d.integer(i)
			if next < 0 {
				return -1
			}
			if negative && n != 0 || n<<(64-bits)>>(64-bits) != n {
				return d.fail(i, ErrRange, "")
			}
			v.SetUint(n)
			return next
		},
		encode: func(e *encoder, v reflect.Value) bool {
			e.b = strconv.AppendUint(e.b, v.Uint(), 10)
			return true
		},
	}
}

func floatCodec(bits int) codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			if d.null(i) {
				return i + lenNull
			}
			x, next := d.float(i, bits)
			if next >= 0 {
				v.SetFloat(x)
			}
			return next
		},
		encode: func(e *encoder, v reflect.Value) bool { return e.float(v.Float(), bits) },
	}
}

// float appends a number in the shortest form that is read as the same.
func (e *encoder) float(x float64, bits int) bool {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return e.fail(ErrRange, strconv.FormatFloat(x, 'g', -1, 64)+" has no JSON")
	}
	if bits == 64 && e.nano(x) {
		return true
	}
	format := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	e.b = strconv.AppendFloat(e.b, x, format, -1, bits)
	return true
}

// nano appends a positive number that has nine decimals at most and fifteen digits at most, as durations in seconds have,
// and reports whether x is one. No other number of so few digits is rounded to the same x, so this is the shortest.
func (e *encoder) nano(x float64) bool {
	const one = 1e9
	if !(x >= 1e-6 && x < 1e6) {
		return false
	}
	n := uint64(math.Round(x * one))
	if float64(n)/one != x {
		return false
	}
	e.b = strconv.AppendUint(e.b, n/one, 10)
	n %= one
	if n == 0 {
		return true
	}
	e.b = append(e.b, ".000000000"...)
	for at := len(e.b) - 1; n > 0; at-- {
		e.b[at] = byte('0' + n%10)
		n /= 10
	}
	for e.b[len(e.b)-1] == '0' {
		e.b = e.b[:len(e.b)-1]
	}
	return true
}

func float2Codec() codec {
	c := floatCodec(64)
	c.encode = func(e *encoder, v reflect.Value) bool {
		x := v.Float()
		cents := math.Round(x * 100)
		if !(math.Abs(cents) < 1<<53) { // also NaN
			return e.float(x, 64)
		}
		n := int64(cents)
		if n < 0 {
			n = -n
			e.b = append(e.b, '-')
		}
		e.b = strconv.AppendInt(e.b, n/100, 10)
		e.b = append(e.b, '.', byte('0'+n%100/10), byte('0'+n%10))
		return true
	}
	return c
}

// numberCodec is for numbers that stay as they are written.
func numberCodec() codec {
	c := stringCodec(maxFrame)
	c.decode = func(d *decoder, i int, v reflect.Value) int {
		if d.null(i) {
			return i + lenNull
		}
		s, next := d.number(i)
		if next >= 0 {
			v.SetString(string(s))
		}
		return next
	}
	c.encode = func(e *encoder, v reflect.Value) bool {
		n := v.String()
		if n == "" {
			n = "0"
		}
		s := scanner{data: []byte(n)}
		if c := n[0]; (c != '-' && (c < '0' || c > '9')) || s.number(0) != len(n) {
			return e.fail(ErrValue, "not a number")
		}
		e.b = append(e.b, n...)
		return true
	}
	return c
}

// stringCodec is for strings of at most most bytes.
func stringCodec(most int) codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			if d.null(i) {
				return i + lenNull
			}
			s, next := d.text(i, most)
			if next >= 0 {
				v.SetString(s)
			}
			return next
		},
		encode: func(e *encoder, v reflect.Value) bool {
			start := len(e.b)
			e.b = appendString(e.b, v.String())
			if most == maxFrame || len(e.b)-start-2 <= most {
				return true
			}
			return e.limited(v.String(), most)
		},
	}
}

func timeCodec() codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			if d.null(i) {
				return i + lenNull
			}
			s, next := d.unquoted(i)
			if next >= 0 && v.Addr().Interface().(*time.Time).UnmarshalText(s) != nil {
				return d.fail(i, ErrValue, "a time as of RFC 3339 is due")
			}
			return next
		},
		encode: func(e *encoder, v reflect.Value) bool {
			e.b = append(e.b, '"')
			b, err := v.Addr().Interface().(*time.Time).AppendText(e.b)
			if err != nil {
				return e.fail(ErrValue, "a time that RFC 3339 cannot say")
			}
			e.b = append(b, '"')
			return true
		},
	}
}
