package limit_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

func TestParseDevice(t *testing.T) {
	for s, want := range map[string]limit.Device{
		"8:0":                   {8, 0},
		"253:17":                {253, 17},
		"0:0":                   {0, 0},
		"4294967295:4294967295": {4294967295, 4294967295},
	} {
		if got, err := limit.ParseDevice(s); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", ":", "8", "8:", ":0", "8:0:1", "8-0", " 8:0", "8: 0", "-8:0", "+8:0", "8:+1", "0x8:0", "8:1_0", "4294967296:0", "sda", "８:0"} {
		if got, err := limit.ParseDevice(s); err == nil {
			t.Errorf("%q was taken for %v", s, got)
		}
	}
}

func FuzzParseDevice(f *testing.F) {
	for _, s := range []string{"8:0", "253:17", "8", "", ":", "8:0:1", "4294967296:0", "08:00", "+1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := limit.ParseDevice(s)
		if err != nil {
			return
		}
		again, err := limit.ParseDevice(d.String())
		if err != nil || again != d {
			t.Errorf("%q is %v, which is read again as %v, %v", s, d, again, err)
		}
	})
}
