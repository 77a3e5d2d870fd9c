package hostmetrics

import (
	"strings"
	"unicode/utf8"
)

const (
	maxName    = 255        // bytes of a name: of a host, a mount, an interface
	maxCommand = 4096       // bytes of a command line
	maxText    = 1536 << 10 // bytes of all texts of one list, so that a report of it fits into a frame whatever is escaped
	maxEntries = 1024       // of lists that are short on every sane machine

	// MaxProcesses is how many processes a report has at most.
	MaxProcesses = 32768

	// MaxConnections is how many connections a report has at most.
	MaxConnections = 65536
)

// clip makes a text one that can be shown and sent: valid, and of bounded length.
func clip(s string, size int) string {
	if len(s) > size {
		s = s[:size]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if r, n := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && n == 1 {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// command makes the arguments of a process such: all of them together are bounded.
func command(args []string, size int) []string {
	for i, a := range args {
		if len(a) >= size {
			args[i] = clip(a, size)
			return args[:i+1]
		}
		args[i] = clip(a, len(a))
		size -= len(a) + 1
	}
	return args
}

// texts is what is left for the texts of a list.
type texts int

// take cuts a text to what is left, and to size.
func (t *texts) take(s string, size int) string {
	s = clip(s, min(size, max(int(*t), 0)))
	*t -= texts(len(s))
	return s
}
