package logging

import (
	"sync/atomic"
	"time"
)

// clock writes times. It keeps the last second that it was asked for, since most lines of a busy log share theirs.
type clock struct {
	last atomic.Pointer[second]
}

// second is a second in the local time zone, as lines show it.
type second struct {
	unix int64
	text string // 2006-01-02 15:04:05.
	json string // {"time":"2006-01-02T15:04:05.
	zone string // +08:00","level":"
}

func (c *clock) second(t time.Time) *second {
	s := c.last.Load()
	if unix := t.Unix(); s == nil || s.unix != unix {
		t = t.Local()
		s = &second{
			unix, t.Format("2006-01-02 15:04:05."),
			`{"time":"` + t.Format("2006-01-02T15:04:05."), t.Format("Z07:00") + `","level":"`,
		}
		c.last.Store(s)
	}
	return s
}

// appendText appends the local time with milliseconds, and a blank.
func (c *clock) appendText(b []byte, t time.Time) []byte {
	ms := uint64(t.Nanosecond()) / uint64(time.Millisecond)
	return append(append(b, c.second(t).text...), digit(ms/100), digit(ms/10), digit(ms), ' ')
}

// appendJSON appends the beginning of a line up to the level: in it the local time with microseconds and its zone.
func (c *clock) appendJSON(b []byte, t time.Time) []byte {
	us := uint64(t.Nanosecond()) / uint64(time.Microsecond)
	s := c.second(t)
	b = append(b, s.json...)
	b = append(b, digit(us/100_000), digit(us/10_000), digit(us/1000), digit(us/100), digit(us/10), digit(us))
	return append(b, s.zone...)
}
