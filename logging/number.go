package logging

import (
	"strconv"
	"time"
)

// appendInt appends v in decimal. It is short for the numbers that most lines have; strconv takes the others.
func appendInt(b []byte, v int64) []byte {
	switch d := uint64(v); {
	case d < 10:
		return append(b, digit(d))
	case d < 100:
		return append(b, digit(d/10), digit(d))
	case d < 1000:
		return append(b, digit(d/100), digit(d/10), digit(d))
	case d < 10_000:
		return append(b, digit(d/1000), digit(d/100), digit(d/10), digit(d))
	}
	return strconv.AppendInt(b, v, 10)
}

// digit is the last digit of v.
func digit(v uint64) byte { return byte('0' + v%10) }

// appendDuration appends what d.String returns.
func appendDuration(b []byte, d time.Duration) []byte {
	if d < time.Microsecond || d >= time.Second {
		return append(b, d.String()...)
	}
	v := uint64(d)
	whole, millionths, unit := v/1e6, v%1e6, "ms"
	if d < time.Millisecond {
		whole, millionths, unit = v/1e3, v%1e3*1e3, "µs"
	}
	b = appendInt(b, int64(whole))
	if m := millionths; m > 0 {
		b = append(b, '.', digit(m/1e5), digit(m/1e4), digit(m/1e3), digit(m/100), digit(m/10), digit(m))
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return append(b, unit...)
}
