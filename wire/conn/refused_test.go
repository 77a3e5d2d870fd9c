package conn_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

const most = 1 << 20 * time.Second

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"120", "", 2 * time.Minute},
		{" 120 ", "", 2 * time.Minute},
		{"007", "", 7 * time.Second},
		{"1048577", "", most},
		{"99999999999999999999999999", "", most},
		{"-5", "", 0},
		{"+5", "", 0},
		{"1.5", "", 0},
		{"1e3", "", 0},
		{"0x10", "", 0},
		{"5 s", "", 0},
		{"٣", "", 0},
		{"soon", "", 0},
		{"Fri, 20 Nov 2026 12:00:30 GMT", "", 30 * time.Second},
		{"Friday, 20-Nov-26 12:00:30 GMT", "", 30 * time.Second},
		{"Fri Nov 20 12:00:30 2026", "", 30 * time.Second},
		{"Fri, 20 Nov 2026 11:59:00 GMT", "", 0},
		{"Fri, 20 Nov 2099 12:00:00 GMT", "", most},
		{"Fri, 20 Nov 2026 12:00:30 CET", "", 0},
		// The server's clock is an hour ahead of ours: it still means thirty seconds.
		{"Fri, 20 Nov 2026 13:00:30 GMT", "Fri, 20 Nov 2026 13:00:00 GMT", 30 * time.Second},
		{"Fri, 20 Nov 2026 12:00:30 GMT", "today", 30 * time.Second},
		{"10", "Fri, 20 Nov 2026 13:00:00 GMT", 10 * time.Second},
	} {
		h := http.Header{"Retry-After": {c.after}, "Date": {c.date}}
		if got := conn.RetryAfter(h, now); got != c.want {
			t.Errorf("%q at %q: %v, want %v", c.after, c.date, got, c.want)
		}
	}
	if got := conn.RetryAfter(http.Header{}, now); got != 0 {
		t.Errorf("no header: %v", got)
	}
}

// Whatever a server sends, the time to wait is from nothing to the bound; what we would write is read back.
func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("Fri, 20 Nov 2026 12:00:30 GMT", "Fri, 20 Nov 2026 12:00:00 GMT")
	f.Add("-1", "x")
	f.Fuzz(func(t *testing.T, after, date string) {
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		h := http.Header{"Retry-After": {after}, "Date": {date}}
		d := conn.RetryAfter(h, now)
		if d < 0 || d > most {
			t.Fatalf("%q at %q: %v", after, date, d)
		}
		h.Set("Retry-After", strconv.FormatInt(int64(d/time.Second), 10))
		if got, want := conn.RetryAfter(h, now), d.Truncate(time.Second); got != want {
			t.Fatalf("%q at %q: %v read back as %v", after, date, want, got)
		}
		h = http.Header{"Retry-After": {now.Add(d).Format(http.TimeFormat)}}
		if got, want := conn.RetryAfter(h, now), d.Truncate(time.Second); got != want {
			t.Fatalf("%q at %q: %v as a date read back as %v", after, date, want, got)
		}
	})
}
