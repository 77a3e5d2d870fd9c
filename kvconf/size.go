package kvconf

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// exponents are the letters of the units, each 1000 or 1024 times the one before.
const exponents = "KMGTPE"

// ParseSize reads a size in bytes: a number with or without a fraction, and a unit in any case, with or without a blank
// between them. K, M, G, T, P and E and the same with B (10M, 10 MB) count in thousands; Ki to Ei and KiB to EiB (10MiB) in
// 1024s; B and no unit are bytes. Commas may group the digits of the number by three. What is left below one byte is cut off.
//
// The calculation is exact. The error wraps ErrValue for what is not a size, ErrRange for what needs more than 64 bits.
func ParseSize(s string) (uint64, error) {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || s[end] == ',') {
		end++
	}
	number, name := s[:end], trim(s[end:])
	if number == "" || number == "." {
		if strings.HasPrefix(s, "-") {
			return 0, sizeError(ErrRange, s, "a size is not negative")
		}
		return 0, sizeError(ErrValue, s, "it does not start with a number")
	}
	factor, ok := unitFactor(name)
	if !ok {
		return 0, sizeError(ErrValue, s, "unknown unit "+quoted(name))
	}
	whole, fraction, _ := strings.Cut(number, ".")
	if strings.ContainsAny(fraction, ".,") {
		return 0, sizeError(ErrValue, s, "it has two decimal points")
	}
	if strings.IndexByte(whole, ',') >= 0 {
		if !grouped(whole) {
			return 0, sizeError(ErrValue, s, "a comma groups digits by three, a fraction has a point")
		}
		whole = strings.ReplaceAll(whole, ",", "")
	}
	var n uint64
	if whole != "" {
		var err error
		if n, err = strconv.ParseUint(whole, 10, 64); err != nil {
			return 0, sizeError(ErrRange, s, "it needs more than 64 bits")
		}
	}
	high, low := bits.Mul64(n, factor)
	sum, carry := bits.Add64(low, scaled(fraction, factor), 0)
	if high != 0 || carry != 0 {
		return 0, sizeError(ErrRange, s, "it needs more than 64 bits")
	}
	return sum, nil
}

// scaled gives 0.<fraction> times factor, rounded down. Working from the last digit, the part below one can be dropped at
// each step without changing the result, since what is added next is a whole number. The largest sum is 9 × 2^60 + 2^60.
func scaled(fraction string, factor uint64) uint64 {
	var n uint64
	for i := len(fraction) - 1; i >= 0; i-- {
		n = (n + uint64(fraction[i]-'0')*factor) / 10
	}
	return n
}

// grouped reports whether the commas of s stand before each three digits, and a digit before the first.
func grouped(s string) bool {
	parts := strings.Split(s, ",")
	if len(parts[0]) == 0 || len(parts[0]) > 3 {
		return false
	}
	for _, p := range parts[1:] {
		if len(p) != 3 {
			return false
		}
	}
	return true
}

func unitFactor(name string) (uint64, bool) {
	if name == "" || name == "B" || name == "b" {
		return 1, true
	}
	exponent := strings.IndexByte(exponents, name[0]&^0x20) + 1 // in upper case
	if exponent == 0 {
		return 0, false
	}
	switch rest := name[1:]; {
	case rest == "" || strings.EqualFold(rest, "b"):
		factor := uint64(1)
		for range exponent {
			factor *= 1000
		}
		return factor, true
	case strings.EqualFold(rest, "i") || strings.EqualFold(rest, "ib"):
		return 1 << (10 * exponent), true
	}
	return 0, false
}

func sizeError(kind error, s, why string) error {
	return &valueError{kind: kind, msg: fmt.Sprintf("%s is not a size: %s", quoted(s), why)}
}

// FormatSize gives n as a text that ParseSize reads as exactly n, in the largest unit that divides it: 10M, 10MiB, 1025.
func FormatSize(n uint64) string { return string(appendSize(nil, n)) }

func appendSize(dst []byte, n uint64) []byte {
	if n == 0 {
		return append(dst, '0')
	}
	decimal, thousands := n, 0
	for decimal%1000 == 0 && thousands < len(exponents) {
		decimal /= 1000
		thousands++
	}
	binary, kibis := n, min(bits.TrailingZeros64(n)/10, len(exponents))
	binary >>= 10 * kibis
	switch {
	case thousands > 0 && (kibis == 0 || decimal <= binary):
		return append(strconv.AppendUint(dst, decimal, 10), exponents[thousands-1])
	case kibis > 0:
		return append(strconv.AppendUint(dst, binary, 10), exponents[kibis-1], 'i', 'B')
	}
	return strconv.AppendUint(dst, n, 10)
}
