package hostmetrics_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/hostmetrics"
	"golang.org/x/sys/unix"
)

// deadMount mounts a file system whose server never answers. When it is released, whoever waits for it is told that it is gone.
func deadMount(t *testing.T, dir string) (release func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIP: mounting takes root")
	}
	fuse, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("SKIP: /dev/fuse: %v", err)
	}
	release = sync.OnceFunc(func() { unix.Close(fuse) })
	t.Cleanup(release)
	options := "fd=" + strconv.Itoa(fuse) + ",rootmode=40000,user_id=0,group_id=0"
	if err := unix.Mount("nobody:/", dir, "fuse.sshfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		t.Skipf("SKIP: mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return release
}

// The lists of what there is to look at hang, as those of a container do whose /proc is served by a program that is stuck: the report
// is there in time without them, and says so.
func TestHungLists(t *testing.T) {
	root := t.TempDir()
	proc := filepath.Join(root, "proc")
	if err := os.Mkdir(proc, 0o700); err != nil {
		t.Fatal(err)
	}
	release := deadMount(t, proc)
	var mu sync.Mutex
	warned := make(map[string]string)
	c := hostmetrics.New(&hostmetrics.Options{Root: root, Deadline: 100 * time.Millisecond, Warn: func(w hostmetrics.Warning) {
		mu.Lock()
		defer mu.Unlock()
		warned[w.Item] += w.Err.Error() + "; "
	}})
	for range 2 {
		if u, err := c.Usage(t.Context()); err != nil || len(u.Partitions) > 0 {
			t.Errorf("usage: %+v, %v", u, err)
		}
		if s, err := c.Static(t.Context()); err != nil || len(s.Partitions) > 0 {
			t.Errorf("static: %+v, %v", s, err)
		}
	}
	for item, want := range map[string]string{"mounts": "longer than 100ms; mounts: still hangs", "disk traffic": "still hangs", "cpu usage": "still hangs"} {
		mu.Lock()
		said := warned[item]
		mu.Unlock()
		if !strings.Contains(said, want) {
			t.Errorf("of %s it warns %q, want %q", item, said, want)
		}
	}
	for _, want := range []string{"took longer than 100ms", hostmetrics.ErrHangs.Error()} {
		if _, err := c.Processes(t.Context(), hostmetrics.ProcessQuery{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("processes: %v, want %q", err, want)
		}
		if _, err := c.Connections(t.Context(), hostmetrics.ConnectionQuery{Kinds: []string{"unix"}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("connections: %v, want %q", err, want)
		}
	}
	if _, err := c.Connections(t.Context(), hostmetrics.ConnectionQuery{}); !errors.Is(err, hostmetrics.ErrHangs) {
		t.Errorf("connections: %v", err)
	}
	release() // the kernel gives up, and the goroutines end: goleak looks
}

// Reports that are given up while a process hangs, as those of a server that goes away again and again, leave one goroutine behind and
// not one each.
func TestHungProcessGivenUp(t *testing.T) {
	m := newMachine(t)
	m.process(7, "stuck", "stuck", 1)
	release := deadMount(t, filepath.Join(m.root, "proc/7"))
	c := m.collector()
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := c.Processes(ctx, hostmetrics.ProcessQuery{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("processes: %v", err)
		}
		cancel()
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if n := strings.Count(string(stacks), ".readUse("); n > 1 {
		t.Errorf("%d goroutines look at the process, want one", n)
	}
	release()
}

// A report for which its caller has no more time fails, and is none with gaps.
func TestCallerOutOfTime(t *testing.T) {
	root := t.TempDir()
	proc := filepath.Join(root, "proc")
	if err := os.Mkdir(proc, 0o700); err != nil {
		t.Fatal(err)
	}
	release := deadMount(t, proc)
	c := hostmetrics.New(&hostmetrics.Options{Root: root, Deadline: 50 * time.Millisecond})
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := c.Usage(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("usage: %v", err)
	}
	if _, err := c.Static(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("static: %v", err)
	}
	release()
}
