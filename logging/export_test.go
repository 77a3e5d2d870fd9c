package logging

import "time"

// ParseName and FormatName are the names of a log's files, for the test that they are inverse.
func ParseName(name string, daily bool, file string) (date string, number int, gz, ok bool) {
	p, ok := naming{name, daily}.parse(file)
	return p.date, p.number, p.gz, ok
}

func FormatName(name string, daily bool, date string, number int, gz bool) string {
	return naming{name, daily}.format(part{date, number, gz})
}

// WithClock returns cfg with another date than that of the machine.
func WithClock(cfg Config, now func() time.Time) Config {
	cfg.now = now
	return cfg
}

// AppendBareValue, AppendBareMessage and Verbatim are what decides on quotes and escapes.
func AppendBareValue(b []byte, s string) ([]byte, bool) { return appendBare(b, s, inValue) }

func AppendBareMessage(b []byte, s string) ([]byte, bool) { return appendBareMessage(b, s) }

func Verbatim(s string) int { return verbatim(s) }

// AppendDuration and AppendInt are written anew for the sake of speed.
func AppendDuration(b []byte, d time.Duration) []byte { return appendDuration(b, d) }

func AppendInt(b []byte, v int64) []byte { return appendInt(b, v) }
