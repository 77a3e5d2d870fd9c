package kvconf_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "0 B": 0, "1": 1, "10M": 10_000_000, "10m": 10_000_000, "10MB": 10_000_000, "10 mb": 10_000_000, "10MiB": 10 << 20,
		"10Mi": 10 << 20, "10 mib": 10 << 20, "9.5 MiB": 9_961_472, "1.15MB": 1_150_000, "0.1K": 100, ".5K": 500, "5.": 5, "1.5B": 1,
		"1K": 1000, "1KiB": 1024, "1G": 1e9, "1GiB": 1 << 30, "1T": 1e12, "1TiB": 1 << 40, "1P": 1e15, "1PiB": 1 << 50, "1E": 1e18, "1EiB": 1 << 60,
		"18446744073709551615": math.MaxUint64, "18.446744073709551615E": math.MaxUint64, "15.999999999999999999EiB": 18446744073709551614,
		"9007199254740993": 9007199254740993, "1,024": 1024, "1,234,567 B": 1_234_567, "1,024.5K": 1_024_500, "007": 7,
		"0.0000000000000000009E": 0, "0.000000000000000001E": 1, "10\tM": 10_000_000, "10M ": 10_000_000,
	} {
		if got, err := kvconf.ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for text, kind := range map[string]error{
		"": kvconf.ErrValue, ".": kvconf.ErrValue, "M": kvconf.ErrValue, "10Q": kvconf.ErrValue, "10MM": kvconf.ErrValue, "10 M B": kvconf.ErrValue,
		"1.2.3": kvconf.ErrValue, "1,5M": kvconf.ErrValue, "1,0000": kvconf.ErrValue, ",5": kvconf.ErrValue, "1.5,0": kvconf.ErrValue, "1e3": kvconf.ErrValue,
		"1234,567": kvconf.ErrValue, "0x10": kvconf.ErrValue, "+1": kvconf.ErrValue, "١": kvconf.ErrValue, "null": kvconf.ErrValue, ",": kvconf.ErrValue,
		"-1": kvconf.ErrRange, "18446744073709551616": kvconf.ErrRange, "16EiB": kvconf.ErrRange, "18.446744073709551616E": kvconf.ErrRange,
		"99999999999999999999K": kvconf.ErrRange, "20E": kvconf.ErrRange,
	} {
		if got, err := kvconf.ParseSize(text); !errors.Is(err, kind) || got != 0 {
			t.Errorf("%q: %d, %v, want %v", text, got, err, kind)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 1: "1", 999: "999", 1000: "1K", 1024: "1KiB", 1025: "1025", 10_000_000: "10M", 10 << 20: "10MiB", 9_961_472: "9728KiB",
		1_024_000: "1000KiB", 1_000_000: "1M", math.MaxUint64: "18446744073709551615", 1e18: "1E", 1 << 60: "1EiB", 15 << 60: "15EiB", 512_000_000: "512M",
	} {
		if got := kvconf.FormatSize(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// Sizes are exact, whatever their fraction, and what is written is read as the same number.
func FuzzSize(f *testing.F) {
	f.Add("9.5 MiB", uint64(10_000_000))
	f.Add("18.446744073709551615E", uint64(math.MaxUint64))
	f.Add("1,234.000001 eib", uint64(1<<60))
	f.Fuzz(func(t *testing.T, text string, n uint64) {
		if back, err := kvconf.ParseSize(kvconf.FormatSize(n)); err != nil || back != n {
			t.Errorf("%d is written as %s and read as %d, %v", n, kvconf.FormatSize(n), back, err)
		}
		got, err := kvconf.ParseSize(text)
		number := text[:len(text)-len(strings.TrimLeft(text, "0123456789.,"))]
		want, ok := new(big.Rat).SetString(strings.ReplaceAll(number, ",", ""))
		if err != nil {
			if !errors.Is(err, kvconf.ErrRange) && !errors.Is(err, kvconf.ErrValue) {
				t.Errorf("%q: an error of no kind: %v", text, err)
			}
			return
		}
		if !ok {
			t.Fatalf("%q is no number, but read as %d", number, got)
		}
		unit := strings.ToLower(strings.TrimSpace(text[len(number):]))
		base, letters := int64(1000), strings.TrimSuffix(unit, "b")
		if short, ok := strings.CutSuffix(letters, "i"); ok {
			base, letters = 1024, short
		}
		exponent := int64(strings.Index("kmgtpe", letters) + 1)
		if letters == "" {
			exponent = 0
		}
		factor := new(big.Int).Exp(big.NewInt(base), big.NewInt(exponent), nil)
		want.Mul(want, new(big.Rat).SetInt(factor))
		whole := new(big.Int).Quo(want.Num(), want.Denom())
		if !whole.IsUint64() || whole.Uint64() != got {
			t.Errorf("%q is %v, but read as %d", text, whole, got)
		}
	})
}
