package hostmetrics_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/hostmetrics"
	"golang.org/x/sys/unix"
)

// A list of what there is to look at hangs, as those of a container do whose /proc is served by a program that is stuck: the report is
// there in time without it, and says so.
func TestHungLists(t *testing.T) {
	root := t.TempDir()
	var pipes []string
	for _, name := range []string{"proc/stat", "proc/diskstats", "proc/self/mountinfo", "proc/1/mountinfo", "proc/uptime", "proc/net/unix"} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mkfifo(file, 0o600); err != nil {
			t.Fatal(err)
		}
		pipes = append(pipes, file)
	}
	if err := os.WriteFile(filepath.Join(root, "proc/meminfo"), []byte("MemTotal: 1000 kB\nMemFree: 500 kB\nMemAvailable: 500 kB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	warned := make(map[string]string)
	c := hostmetrics.New(&hostmetrics.Options{Root: root, Deadline: 100 * time.Millisecond, Warn: func(w hostmetrics.Warning) {
		mu.Lock()
		defer mu.Unlock()
		warned[w.Item] += w.Err.Error() + "; "
	}})
	for range 2 {
		u, err := c.Usage(t.Context())
		if err != nil || u.Memory == nil || len(u.Partitions) > 0 {
			t.Errorf("usage: %+v, %v", u, err)
		}
		if s, err := c.Static(t.Context()); err != nil || s.Memory.Physical != 1000<<10 {
			t.Errorf("static: %+v, %v", s.Memory, err)
		}
	}
	for item, want := range map[string][]string{
		"mounts": {"longer than 100ms", "still hangs"}, "disk traffic": {"still hangs"}, "cpu usage": {"still hangs"},
	} {
		mu.Lock()
		said := warned[item]
		mu.Unlock()
		for _, w := range want {
			if !strings.Contains(said, w) {
				t.Errorf("of %s it warns %q, want %q", item, said, w)
			}
		}
	}
	if _, err := c.Processes(t.Context(), hostmetrics.ProcessQuery{}); err == nil || !strings.Contains(err.Error(), "host of processes: took longer than 100ms") {
		t.Errorf("processes: %v", err)
	}
	if _, err := c.Connections(t.Context(), hostmetrics.ConnectionQuery{Kinds: []string{"unix"}}); err == nil || !strings.Contains(err.Error(), "sockets: took longer") {
		t.Errorf("connections: %v", err)
	}
	if _, err := c.Connections(t.Context(), hostmetrics.ConnectionQuery{Kinds: []string{"unix"}}); !errors.Is(err, hostmetrics.ErrHangs) {
		t.Errorf("connections again: %v", err)
	}
	// Whoever hangs goes on, and ends: goleak looks.
	for _, file := range pipes {
		w, err := os.OpenFile(file, os.O_WRONLY|unix.O_NONBLOCK, 0)
		if err == nil {
			w.Close()
		}
	}
}
