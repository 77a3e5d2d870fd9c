package l2cache_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// copyDir copies the files of a queue, but for its lock.
func copyDir(t testing.TB, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// change writes a changed copy of a file.
func change(t testing.TB, path string, how func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, how(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// written is a queue of several segments and runs that was closed, and what is in it.
func written(t testing.TB, perRun int) (cfg l2cache.QueueConfig, want []string) {
	t.Helper()
	cfg = durable(t)
	cfg.Segment = 4 << 10
	for range 3 {
		q := open(t, cfg)
		for range perRun {
			want = append(want, numbered(len(want)))
			q.put(want[len(want)-1])
		}
		q.close()
	}
	return cfg, want
}

// checkDamaged opens a queue that was damaged. It must have all records but for most, in order, each as it was, must report
// those that are missing and no others, and must take new ones. It returns the losses.
func checkDamaged(t *testing.T, what string, cfg l2cache.QueueConfig, want []string, most int) []l2cache.Loss {
	t.Helper()
	q := open(t, cfg)
	next, err := q.Put(t.Context(), []byte("new"))
	if err != nil || next <= uint64(len(want)) {
		t.Fatalf("%s: put: sequence %d, %v", what, next, err)
	}
	records := q.all()
	if len(records) == 0 || string(records[len(records)-1].Data) != "new" || records[len(records)-1].Seq != next {
		t.Fatalf("%s: the new record is not there", what)
	}
	there := map[uint64]bool{}
	var last uint64
	for _, r := range records[:len(records)-1] {
		if r.Seq <= last || r.Seq > uint64(len(want)) || string(r.Data) != want[r.Seq-1] {
			t.Fatalf("%s: record %d after %d is %.50q", what, r.Seq, last, r.Data)
		}
		last, there[r.Seq] = r.Seq, true
	}
	lost := map[uint64]bool{}
	losses := q.lost()
	for _, l := range losses {
		for seq := l.From; seq <= l.To; seq++ {
			lost[seq] = true
		}
		if l.File != "" {
			if _, err := os.Stat(l.File); err != nil {
				t.Errorf("%s: set aside: %v", what, err)
			}
		}
	}
	missing := 0
	for seq := uint64(1); seq <= uint64(len(want)); seq++ {
		if there[seq] == lost[seq] {
			t.Fatalf("%s: record %d is there: %v, lost: %v; %+v", what, seq, there[seq], lost[seq], losses)
		}
		if lost[seq] {
			missing++
		}
	}
	if missing > most || q.Stats().Damaged < uint64(missing) {
		t.Errorf("%s: %d records are missing, at most %d may; %+v", what, missing, most, q.Stats())
	}
	q.ack(next)
	if s := q.Stats(); s.Records != 0 || s.Segments > 1 {
		t.Errorf("%s: drained: %+v", what, s)
	}
	q.close()
	return losses
}

// One turned byte costs one record at most, wherever it is, and that is said.
func TestTurnedByte(t *testing.T) {
	cfg, want := written(t, 25)
	original := cfg.Dir
	total := 0
	for n, path := range segments(t, original) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		step := func(at int) int { // behind the first records, each place is met by one of those that follow
			if at < 400 {
				return 1
			}
			return 4
		}
		for at := 0; at < len(b); at += step(at) {
			cfg.Dir = copyDir(t, original)
			change(t, filepath.Join(cfg.Dir, filepath.Base(path)), func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b })
			total += len(checkDamaged(t, fmt.Sprintf("segment %d, byte %d", n, at), cfg, want, 1))
			os.RemoveAll(cfg.Dir)
		}
	}
	if total < 1000 {
		t.Errorf("only %d losses", total)
	}
}

// Of a file that was cut all is there that is whole, and what is missing is said.
func TestCutFile(t *testing.T) {
	cfg, want := written(t, 25)
	original := cfg.Dir
	for n, path := range segments(t, original) {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		for size := int64(0); size < st.Size(); size += 1 + size%19 {
			cfg.Dir = copyDir(t, original)
			if err := os.Truncate(filepath.Join(cfg.Dir, filepath.Base(path)), size); err != nil {
				t.Fatal(err)
			}
			checkDamaged(t, fmt.Sprintf("segment %d cut to %d", n, size), cfg, want, 25)
			os.RemoveAll(cfg.Dir)
		}
	}
}

// A crash in the middle of a write leaves the beginning of it: that is cut, and is no loss, since nobody was told that it is there.
func TestTornTail(t *testing.T) {
	cfg := durable(t)
	q := open(t, cfg)
	q.putNumbered(0, 10)
	// As a crash leaves it: the position is of a moment before.
	before := copyDir(t, q.dir)
	q.putNumbered(10, 11)
	after, err := os.ReadFile(segments(t, q.dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	q.close()
	whole, err := os.ReadFile(segments(t, before)[0])
	if err != nil {
		t.Fatal(err)
	}
	for size := len(whole); size < len(after); size++ {
		for _, rest := range []int{0, 1000} { // a file may be longer than what was written: the rest is zeros
			cfg.Dir = copyDir(t, before)
			b := append(slices.Clone(after[:size]), make([]byte, rest)...)
			if err := os.WriteFile(segments(t, cfg.Dir)[0], b, 0o600); err != nil {
				t.Fatal(err)
			}
			q := open(t, cfg)
			var want []string
			for i := range 10 {
				want = append(want, numbered(i))
			}
			equal(t, fmt.Sprint("cut to ", size), texts(q.all()), want)
			q.noLosses()
			q.put("new")
			if records := q.all(); len(records) != 11 || records[10].Seq != 11 {
				t.Errorf("cut to %d: %d records", size, len(records))
			}
			q.close()
			if st, _ := os.Stat(segments(t, cfg.Dir)[0]); st.Size() != int64(len(whole)) {
				t.Errorf("cut to %d: the file has %d bytes, want %d", size, st.Size(), len(whole))
			}
		}
	}
}

// What is in a record never passes for a record, even when the record around it is damaged.
func TestRecordsInRecords(t *testing.T) {
	other, _ := written(t, 20)
	foreign, err := os.ReadFile(segments(t, other.Dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	cfg := durable(t)
	q := open(t, cfg)
	want := []string{"before", string(foreign), strings.Repeat("\xf5\xfa", 5000), "after"}
	q.put(want...)
	q.close()
	path := segments(t, cfg.Dir)[0]
	for _, inside := range [][]byte{foreign[:50], []byte("\xf5\xfa\xf5\xfa")} {
		dir := copyDir(t, cfg.Dir)
		change(t, filepath.Join(dir, filepath.Base(path)), func(b []byte) []byte {
			b[bytes.Index(b, inside)-1] ^= 0xff // the end of the header
			return b
		})
		checkDamaged(t, fmt.Sprintf("around %.10q", inside), l2cache.QueueConfig{Dir: dir}, want, 1)
	}
}

// Damage in the middle of much: the search for the next record ends, and finds it.
func TestLongDamage(t *testing.T) {
	cfg := durable(t)
	q := open(t, cfg)
	var want []string
	for i := range 20 {
		want = append(want, strings.Repeat("\xf5\xfa", 100_000+i)) // a header seems to begin everywhere
	}
	q.put(want...)
	q.close()
	change(t, segments(t, cfg.Dir)[0], func(b []byte) []byte {
		for i := 500_000; i < 3_000_000; i += 1000 {
			b[i]++
		}
		return b
	})
	losses := checkDamaged(t, "much damage", cfg, want, 14)
	if len(losses) == 0 || losses[0].File == "" {
		t.Fatalf("%+v", losses)
	}
}

// A damaged record is set aside as it is, in a file that people can look at.
func TestSetAside(t *testing.T) {
	cfg := durable(t)
	q := open(t, cfg)
	q.put("a", strings.Repeat("broken ", 10), "c")
	q.close()
	change(t, segments(t, cfg.Dir)[0], func(b []byte) []byte { return bytes.Replace(b, []byte("broken"), []byte("BROKEN"), 1) })
	q = open(t, cfg)
	equal(t, "records", texts(q.all()), []string{"a", "c"})
	losses := q.lost()
	if len(losses) != 1 || losses[0].From != 2 || losses[0].To != 2 || losses[0].Reason != l2cache.Damaged {
		t.Fatalf("%+v", losses)
	}
	b, err := os.ReadFile(losses[0].File)
	if err != nil || len(b) != 16+70 || !bytes.HasSuffix(b, []byte("BROKEN "+strings.Repeat("broken ", 9))) {
		t.Errorf("%q, %v", b, err)
	}
	// Again, by another reader: it is the same damage.
	r := q.Reader(1)
	defer r.Close()
	for range 2 {
		if _, err := r.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	q.noLosses()
	if s := q.Stats(); s.Damaged != 1 {
		t.Errorf("%+v", s)
	}
}

// What is set aside does not fill the disk.
func TestSetAsideIsBounded(t *testing.T) {
	cfg := durable(t)
	cfg.Size = 1 << 20
	for i := range 100 {
		q := open(t, cfg)
		q.put(strings.Repeat("x", 5000), "next")
		q.close()
		change(t, segments(t, cfg.Dir)[len(segments(t, cfg.Dir))-1], func(b []byte) []byte { b[1000]++; return b })
		q = open(t, cfg)
		if r, err := q.Peek(t.Context()); err != nil || string(r.Data) != "next" {
			t.Fatalf("%q, %v", r.Data, err)
		}
		q.ack(uint64(2*i + 2))
		q.close()
		if size := sizeOf(t, cfg.Dir, "*.bad"); size > cfg.Size/16 || i > 20 && size < cfg.Size/32 {
			t.Fatalf("%d times: %d bytes are set aside", i, size)
		}
	}
}

// Files that others have removed, renamed or broken keep no queue from opening.
func TestFilesMissing(t *testing.T) {
	original, want := written(t, 100)
	paths := segments(t, original.Dir)
	for name, breakIt := range map[string]func(dir, path string) error{
		"removed": func(dir, path string) error { return os.Remove(path) },
		"emptied": func(dir, path string) error { return os.Truncate(path, 0) },
		"renamed": func(dir, path string) error {
			return os.Rename(path, filepath.Join(dir, fmt.Sprintf("%020d.seg", 1<<30)))
		},
		"other": func(dir, path string) error { return os.WriteFile(path, []byte("something else"), 0o600) },
		"no header": func(dir, path string) error {
			change(t, path, func(b []byte) []byte { clear(b[:96]); return b })
			return nil
		},
	} {
		for i := range paths {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				cfg := original
				cfg.Dir = copyDir(t, original.Dir)
				if err := breakIt(cfg.Dir, filepath.Join(cfg.Dir, filepath.Base(paths[i]))); err != nil {
					t.Fatal(err)
				}
				most := 100
				if name == "renamed" {
					most = 0
				}
				checkDamaged(t, name, cfg, want, most)
			})
		}
	}
}

// The power is lost: the position has reached the disk, and of the records that it knows of some have not. Those are reported, each
// other one is there, and no sequence is given again.
func TestPowerLost(t *testing.T) {
	original, want := written(t, 100)
	paths := segments(t, original.Dir)
	path := filepath.Base(paths[len(paths)-1])
	b, err := os.ReadFile(paths[len(paths)-1])
	if err != nil {
		t.Fatal(err)
	}
	for from := 112; from < len(b); from += 37 {
		for _, to := range []int{min(from+150, len(b)), len(b)} {
			cfg := original
			cfg.Dir = copyDir(t, original.Dir)
			change(t, filepath.Join(cfg.Dir, path), func(b []byte) []byte { clear(b[from:to]); return b })
			if losses := checkDamaged(t, fmt.Sprintf("zeros from %d to %d", from, to), cfg, want, (to-from)/16+2); len(losses) == 0 {
				t.Errorf("zeros from %d to %d: no loss", from, to)
			}
			os.RemoveAll(cfg.Dir)
		}
	}
}

// Without the file of the position, or with a broken one, what was acknowledged may come again, and nothing is lost.
func TestPositionMissing(t *testing.T) {
	for name, how := range map[string]func(b []byte) []byte{
		"empty": func([]byte) []byte { return nil },
		"zeros": func(b []byte) []byte { clear(b); return b },
		"short": func(b []byte) []byte { return b[:20] },
		"one of the two": func(b []byte) []byte {
			if binary.LittleEndian.Uint64(b[8:]) > binary.LittleEndian.Uint64(b[512+8:]) {
				b[20]++
			} else {
				b[512+20]++
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, want := written(t, 100)
			q := open(t, cfg)
			q.ack(10)
			q.close()
			change(t, filepath.Join(cfg.Dir, "position"), how)
			q = open(t, cfg)
			records := q.all()
			first := records[0].Seq
			if first > 11 || name == "one of the two" && first != 1 {
				t.Errorf("the first is %d", first)
			}
			equal(t, "records", texts(records), want[first-1:])
			q.noLosses()
		})
	}
}
