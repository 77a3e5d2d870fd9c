package logging_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// output keeps what is written to it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// said returns the lines so far without their times, and forgets them.
func (o *output) said() (lines []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	const stamp = len("2006-01-02 15:04:05.000 ")
	for line := range strings.Lines(o.b.String()) {
		lines = append(lines, strings.TrimSuffix(line[stamp:], "\n"))
	}
	o.b.Reset()
	return lines
}

// Of a burst the first message is logged, then how many there were; the others are counted.
func TestRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out output
		l := open(t, logging.Config{Repeat: time.Minute, Stdout: &out})
		child := l.Logger().With("job", 7)
		for i := range 100 {
			child.Warn("disk is slow", "ms", i)
			l.Logger().Info(fmt.Sprint("message ", i%2))
		}
		l.Logger().Error("disk is slow")
		equal(t, "burst", out.said(), []string{
			"WARN disk is slow job=7 ms=0", "INFO message 0", "INFO message 1", "ERROR disk is slow",
		})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		counts := out.said()
		want := map[string]bool{
			"WARN disk is slow job=7 repeated=99 within=1m0s": true,
			"INFO message 0 repeated=49 within=1m0s":          true,
			"INFO message 1 repeated=49 within=1m0s":          true,
		}
		for _, line := range counts {
			if !want[line] {
				t.Errorf("count: %q", line)
			}
			delete(want, line)
		}
		if len(want) > 0 {
			t.Errorf("missing: %v", want)
		}
		if got := l.Stats().Repeated; got != 99+49+49 {
			t.Errorf("%d repeated", got)
		}
		child.Warn("disk is slow", "ms", 1)
		equal(t, "next burst", out.said(), []string{"WARN disk is slow job=7 ms=1"})
	})
}

// The count of a burst that is not over yet is there when the log is closed.
func TestRepeatsClose(t *testing.T) {
	var out output
	l := open(t, logging.Config{Repeat: time.Hour, Stdout: &out})
	for range 3 {
		l.Logger().Info("again")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "lines", out.said(), []string{"INFO again", "INFO again repeated=2 within=1h0m0s"})
}

// Messages of which there are too many to remember are logged, all of them.
func TestRepeatsMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out output
		l := open(t, logging.Config{Repeat: time.Hour, Stdout: &out})
		for i := range 2000 {
			l.Logger().Info(fmt.Sprint("message ", i))
		}
		for i := range 2000 {
			l.Logger().Info(fmt.Sprint("message ", i))
		}
		if lines := len(out.said()); lines != 4000-1024 {
			t.Errorf("%d lines, want all but 1024", lines)
		}
	})
}
