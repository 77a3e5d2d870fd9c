package l2cache_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// children are what a process of the tests can be instead of the tests.
var children = map[string]func(){
	"put":   childPuts,
	"hold":  childHolds,
	"spool": childSpools,
}

// childQueue opens the queue that a child was told of.
func childQueue() *l2cache.Queue {
	var sync l2cache.Sync
	must(sync.UnmarshalText([]byte(os.Getenv("QUEUE_SYNC"))))
	q, err := l2cache.OpenQueue(l2cache.QueueConfig{Dir: os.Getenv("QUEUE_DIR"), Sync: sync, Segment: 64 << 10})
	must(err)
	return q
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// childPuts puts numbered records, from several goroutines, and prints the number of each when it was accepted. Of ten it
// acknowledges one.
func childPuts() {
	q := childQueue()
	from, err := strconv.Atoi(os.Getenv("QUEUE_FROM"))
	must(err)
	out := bufio.NewWriter(os.Stdout)
	numbers, accepted := make(chan int), make(chan uint64)
	for range 4 {
		go func() {
			for i := range numbers {
				seq, err := q.Put(background, []byte(numbered(i)))
				must(err)
				must(q.Ack(seq / 10))
				accepted <- seq<<32 | uint64(i)
			}
		}()
	}
	go func() {
		for i := from; ; i++ {
			numbers <- i
		}
	}()
	for a := range accepted {
		fmt.Fprintln(out, a>>32, a&(1<<32-1))
		must(out.Flush())
	}
}

// childHolds opens a queue and waits for the end of its input.
func childHolds() {
	q := childQueue()
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	must(q.Close())
}

// A process is killed in the middle of its work, again and again: all that it was told is accepted is there, once, under the
// sequence that it was told.
func TestKilled(t *testing.T) {
	for _, mode := range []l2cache.Sync{l2cache.SyncNone, l2cache.SyncInterval, l2cache.SyncGroup} {
		t.Run(mode.String(), func(t *testing.T) {
			cfg := durable(t)
			cfg.Sync = mode
			accepted := map[uint64]int{}
			from := 0
			for round := range 5 {
				cmd := child(t, "put", "QUEUE_DIR="+cfg.Dir, "QUEUE_SYNC="+mode.String(), "QUEUE_FROM="+strconv.Itoa(from))
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(out)
				for n := 0; lines.Scan(); n++ {
					var seq uint64
					var i int
					if _, err := fmt.Sscan(lines.Text(), &seq, &i); err != nil {
						break // torn by the kill
					}
					if other, twice := accepted[seq]; twice {
						t.Fatalf("sequence %d is given to %d and %d", seq, other, i)
					}
					accepted[seq] = i
					from = max(from, i+100)
					if n == 200+round*333 {
						cmd.Process.Kill()
					}
				}
				cmd.Wait()
			}
			q := open(t, cfg)
			there := map[uint64]string{}
			for _, r := range q.all() {
				there[r.Seq] = string(r.Data)
			}
			for seq, i := range accepted {
				if got, ok := there[seq]; seq >= q.First() && (!ok || got != numbered(i)) {
					t.Errorf("record %d was accepted as %d, and there is %q", seq, i, got)
				}
			}
			q.noLosses()
			if len(accepted) < 4000 || len(there) < len(accepted)/2 {
				t.Errorf("%d accepted, %d there", len(accepted), len(there))
			}
		})
	}
}

// A process is killed between making the file of a segment and writing its header: nothing is lost, and nothing is said to be.
func TestKilledAtNewSegment(t *testing.T) {
	for _, size := range []int64{0, 50} {
		cfg := durable(t)
		q := open(t, cfg)
		q.putNumbered(0, 10)
		q.close()
		path := filepath.Join(cfg.Dir, "00000000000000000011.seg")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, size)); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			q = open(t, cfg)
			q.putNumbered(10+i, 11+i)
			q.noLosses()
			q.close()
		}
		q = open(t, cfg)
		records := q.all()
		if len(records) != 12 || records[10].Seq != 11 || records[11].Seq != 12 {
			t.Errorf("%d records", len(records))
		}
		q.noLosses()
	}
}

// A file that is synced at each write has room ahead. A process that is killed leaves it there; the next one gives it back, and
// takes it for no damage. What a torn write has left before the zeros is kept.
func TestRoomAhead(t *testing.T) {
	cfg := durable(t)
	cfg.Sync = l2cache.SyncGroup
	q := open(t, cfg)
	q.putNumbered(0, 10)
	path := segments(t, cfg.Dir)[0]
	sizeIn := func(dir string) int64 { return sizeOf(t, dir, "*.seg") }
	ahead := sizeIn(cfg.Dir)
	if s := q.Stats(); ahead != s.Disk || ahead > 2<<20 {
		t.Errorf("the file has %d bytes, %+v", ahead, s)
	}
	killed := cfg
	killed.Dir = copyDir(t, cfg.Dir)
	torn := cfg
	torn.Dir = copyDir(t, cfg.Dir)
	q.close()
	size := sizeIn(cfg.Dir)
	if runtime.GOOS == "linux" && ahead < 1<<20 || size > 2000 {
		t.Errorf("the file has %d bytes, and %d when it is closed", ahead, size)
	}

	q = open(t, killed)
	if got := sizeIn(killed.Dir); got != size || len(q.all()) != 10 {
		t.Errorf("%d records, %d bytes, want %d", len(q.all()), got, size)
	}
	q.noLosses()
	if left, _ := filepath.Glob(filepath.Join(killed.Dir, "*.bad")); len(left) > 0 {
		t.Errorf("set aside: %q", left)
	}

	f, err := os.OpenFile(filepath.Join(torn.Dir, filepath.Base(path)), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte("torn"), size)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	q = open(t, torn)
	if got := sizeIn(torn.Dir); got != size || len(q.all()) != 10 {
		t.Errorf("%d records, %d bytes, want %d", len(q.all()), got, size)
	}
	q.noLosses()
	left, _ := filepath.Glob(filepath.Join(torn.Dir, "*.bad"))
	if len(left) != 1 {
		t.Fatalf("set aside: %q", left)
	}
	if b, err := os.ReadFile(left[0]); string(b) != "torn" {
		t.Errorf("set aside: %q, %v", b, err)
	}
}

// Two owners of one folder would write over each other.
func TestLocked(t *testing.T) {
	cfg := durable(t)
	q := open(t, cfg)
	if _, err := l2cache.OpenQueue(cfg); !errors.Is(err, l2cache.ErrLocked) || !strings.Contains(err.Error(), "lock") {
		t.Errorf("the same process: %v", err)
	}
	q.put("x")
	q.close()

	cmd := child(t, "hold", "QUEUE_DIR="+cfg.Dir, "QUEUE_SYNC=none")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := l2cache.OpenQueue(cfg); !errors.Is(err, l2cache.ErrLocked) {
		t.Errorf("another process: %v", err)
	}
	cmd.Process.Kill()
	in.Close()
	cmd.Wait()
	equal(t, "after its end", texts(open(t, cfg).all()), []string{"x"})
}

// Only the owner may look into the folder, also into one that was there before.
func TestModes(t *testing.T) {
	for _, there := range []bool{false, true} {
		cfg := durable(t)
		if there {
			if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		q := open(t, cfg)
		q.put("broken", "x")
		q.ack(1)
		q.close()
		change(t, segments(t, cfg.Dir)[0], func(b []byte) []byte { b[len(b)-1]++; return b })
		q = open(t, cfg)
		q.put("y")
		q.all()
		names, err := os.ReadDir(cfg.Dir)
		if err != nil || len(names) < 5 {
			t.Fatalf("%v, %v", names, err)
		}
		for _, n := range append(names, nil) {
			path, want := cfg.Dir, os.FileMode(0o700)
			if n != nil {
				path, want = filepath.Join(cfg.Dir, n.Name()), 0o600
			}
			if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want && !windows {
				t.Errorf("%s: %v, want %v, %v", path, st.Mode().Perm(), want, err)
			}
		}
		q.close()
	}
}
