package logging_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
	"golang.org/x/sys/unix"
)

// terminal opens a terminal of its own: the end that programs write to and the end that shows it.
func terminal(t *testing.T) (tty, screen *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { screen.Close() })
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty, screen
}

// A person at a terminal sees levels in colours, a file never has them, and NO_COLOR is obeyed.
func TestColour(t *testing.T) {
	const plain = `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARN careful a="\\x1b\[31m"\r?\n$`
	const coloured = `^\x1b\[2m\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\x1b\[0m \x1b\[33mWARN\x1b\[0m careful a="\\x1b\[31m"\r\n$`
	for _, c := range []struct{ noColor, format, want string }{
		{"", logging.FormatText, coloured},
		{"1", logging.FormatText, plain},
		{"", logging.FormatJSON, `^{"time":"[^"]*","level":"WARN","msg":"careful","a":"\\u001b\[31m"}\r\n$`},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", "xterm")
		tty, screen := terminal(t)
		cfg := fileConfig(t)
		cfg.Target, cfg.Stdout, cfg.Format = []string{"stdout", "file"}, tty, c.format
		l := open(t, cfg)
		l.Logger().Warn("careful", "a", "\x1b[31m")
		line, err := bufio.NewReader(screen).ReadString('\n')
		if err != nil || !regexp.MustCompile(c.want).MatchString(line) {
			t.Errorf("%+v: %q, %v", c, line, err)
		}
		if file := read(t, cfg.Dir+"/agent.log"); c.format == logging.FormatText && !regexp.MustCompile(plain).MatchString(file) {
			t.Errorf("file: %q", file)
		}
	}
}

// A record with a time of the far future is a line like any other, and no panic.
func TestColourFarFuture(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	tty, screen := terminal(t)
	l := open(t, logging.Config{Stdout: tty})
	r := slog.NewRecord(time.Date(12345, 1, 2, 3, 4, 5, 0, time.UTC), slog.LevelInfo, "late", 0)
	if err := l.Logger().Handler().Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(screen).ReadString('\n')
	if err != nil || !strings.HasSuffix(line, "INFO late\r\n") {
		t.Errorf("%q, %v", line, err)
	}
}
