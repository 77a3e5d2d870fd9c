package logging

import (
	"strconv"
	"time"
)

// appendInt appends v in decimal.
func appendInt(b []byte, v int64) []byte {
	if v < 0 {
		return strconv.AppendInt(b, v, 10)
	}
	return appendUint(b, uint64(v))
}

// appendUint appends v in decimal. It is short for the numbers that most lines have; strconv takes the others.
func appendUint(b []byte, v uint64) []byte {
	switch {
	case v < 10:
		return append(b, digit(v))
	case v < 100:
		return append(b, digit(v/10), digit(v))
	case v < 1000:
		return append(b, digit(v/100), digit(v/10), digit(v))
	case v < 10_000:
		return append(b, digit(v/1000), digit(v/100), digit(v/10), digit(v))
	}
	return strconv.AppendUint(b, v, 10)
}

// digit is the last digit of v.
func digit(v uint64) byte { return byte('0' + v%10) }

// appendDuration appends what d.String returns.
func appendDuration(b []byte, d time.Duration) []byte {
	if d < time.Microsecond || d >= time.Second {
		return append(b, d.String()...)
	}
	unit, name := time.Microsecond, "µs"
	if d >= time.Millisecond {
		unit, name = time.Millisecond, "ms"
	}
	b = appendUint(b, uint64(d/unit))
	if rest := d % unit; rest > 0 {
		b = append(b, '.')
		for ; rest > 0; rest %= unit {
			unit /= 10
			b = append(b, digit(uint64(rest/unit)))
		}
	}
	return append(b, name...)
}
