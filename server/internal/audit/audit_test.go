package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
)

func open(t testing.TB, cfg audit.Config) *audit.Log {
	t.Helper()
	l, err := audit.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func write(t testing.TB, l *audit.Log, events ...string) {
	t.Helper()
	for _, e := range events {
		if err := l.Append(audit.Entry{Event: e, Actor: "me", Detail: map[string]any{"hash": "x"}}); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t testing.TB, dir string, marks ...audit.Mark) audit.Report {
	t.Helper()
	r, err := audit.Verify(dir, marks...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// onlyFile is the file of a log that has one.
func onlyFile(t testing.TB, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	return filepath.Join(dir, files[0].Name())
}

// What was written is there, in order, after a new start too.
func TestChain(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	write(t, l, "a", "b")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, audit.Config{Dir: dir})
	write(t, l, "c")
	r := verify(t, dir)
	if r.Lines != 3 || r.First != 1 || r.Last != 3 {
		t.Errorf("%+v", r)
	}
	lines, next, err := audit.Read(dir, audit.Query{})
	if err != nil || next != 0 || len(lines) != 3 || lines[0].Event != "c" || lines[2].Event != "a" || lines[0].Prev != lines[1].Hash {
		t.Errorf("%+v, %d, %v", lines, next, err)
	}
}

// Whoever changes, takes out, puts in or moves a line is found; and so is a cut end, for who knows a later line.
func TestTampering(t *testing.T) {
	change := func(f func(lines []string) []string) func([]byte) []byte {
		return func(text []byte) []byte {
			return []byte(strings.Join(f(strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")), ""))
		}
	}
	for name, tamper := range map[string]func([]byte) []byte{
		"a letter":       func(b []byte) []byte { return bytes.Replace(b, []byte(`"b"`), []byte(`"x"`), 1) },
		"an actor":       func(b []byte) []byte { return bytes.Replace(b, []byte(`"me"`), []byte(`"you"`), 1) },
		"a hash":         func(b []byte) []byte { return bytes.Replace(b, []byte(`"hash":"`), []byte(`"hash":"0`), 1) },
		"a line gone":    change(func(l []string) []string { return append(l[:1:1], l[2:]...) }),
		"a line twice":   change(func(l []string) []string { return append(l[:2:2], l[1:]...) }),
		"lines swapped":  change(func(l []string) []string { l[1], l[2] = l[2], l[1]; return l }),
		"half a line":    func(b []byte) []byte { return b[:len(b)-20] },
		"the end":        change(func(l []string) []string { return l[:3] }),
		"no line at all": func([]byte) []byte { return []byte("{}\n") },
	} {
		dir := t.TempDir()
		l := open(t, audit.Config{Dir: dir})
		write(t, l, "a", "b", "c", "d")
		l.Close()
		mark := audit.Mark{Seq: 4, Hash: verify(t, dir).Hash}
		verify(t, dir, mark)
		file := onlyFile(t, dir)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, tamper(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Verify(dir, mark); err == nil {
			t.Errorf("%s: not found", name)
		}
	}
	// Who writes it all anew is found by who has kept a line.
	dir, forged := t.TempDir(), t.TempDir()
	write(t, open(t, audit.Config{Dir: dir}), "a", "b")
	write(t, open(t, audit.Config{Dir: forged}), "a", "harmless")
	if _, err := audit.Verify(forged, audit.Mark{Seq: 2, Hash: verify(t, dir).Hash}); err == nil {
		t.Error("a log that was written anew: not found")
	}
}

// A crash in the middle of a line costs that line, which nobody was told is there, and is said.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	write(t, l, "a", "b")
	l.Close()
	file := onlyFile(t, dir)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole := bytes.IndexByte(text, '\n') + 1
	for cut := whole; cut < len(text); cut++ {
		if err := os.WriteFile(file, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, audit.Config{Dir: dir})
		write(t, l, "c")
		l.Close()
		want := 3 // a, audit.repaired, c
		if cut == whole {
			want = 2
		}
		if r := verify(t, dir); r.Lines != want {
			t.Fatalf("cut at %d: %+v", cut, r)
		}
	}
}

// A loss of power may leave whole lines that are none at the end. A server that starts then is not kept from it.
func TestLossOfPower(t *testing.T) {
	for name, rest := range map[string]string{
		"zeros, and the end of a line": strings.Repeat("\x00", 4096) + `23456789"}` + "\n",
		"several lines":                "\x00\x00\n{}\n\n",
	} {
		for _, lines := range []int{0, 2} {
			dir := t.TempDir()
			l := open(t, audit.Config{Dir: dir})
			write(t, l, "a")
			for range lines {
				write(t, l, "b")
			}
			l.Close()
			file := onlyFile(t, dir)
			if lines == 0 { // nothing else is in the file
				if err := os.Rename(file, filepath.Join(dir, "00000000000000000002.jsonl")); err != nil {
					t.Fatal(err)
				}
				file = filepath.Join(dir, "00000000000000000002.jsonl")
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(text, rest...), 0o600); err != nil {
				t.Fatal(err)
			}
			l = open(t, audit.Config{Dir: dir})
			if err := l.Append(audit.Entry{Event: "c"}); err != nil {
				t.Errorf("%s after %d lines: %v", name, lines, err)
				continue
			}
			found, _, err := audit.Read(dir, audit.Query{Event: "audit.repaired"})
			if err != nil || len(found) != 1 {
				t.Errorf("%s: %v, %v", name, found, err)
			}
			verify(t, dir)
		}
	}
}

// Lines that come at once are all there, and each is on the disk when its writer is told so.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for n := range 20 {
				e := audit.Entry{Event: fmt.Sprintf("%d-%d", i, n)}
				if err := l.Append(e); err != nil {
					t.Error(err)
					return
				}
				if err := l.Note(e); err != nil {
					t.Error(err)
				}
			}
			found, _, err := audit.Read(dir, audit.Query{Event: fmt.Sprintf("%d-19", i)})
			if err != nil || len(found) == 0 {
				t.Errorf("the last line of %d: %v %v", i, found, err)
			}
		})
	}
	all.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, dir); r.Lines != 800 {
		t.Errorf("%d lines, want 800", r.Lines)
	}
	if err := l.Append(audit.Entry{}); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// What is too much or too old goes, in whole files, and the chain goes on.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		const size = 100_000
		l := open(t, audit.Config{Dir: dir, Size: size})
		for range 2000 {
			write(t, l, strings.Repeat("x", 200))
		}
		r := verify(t, dir)
		if r.First == 1 || r.Last < 2000 {
			t.Errorf("%+v", r)
		}
		if total := sizeOf(t, dir); total > size+40_000 {
			t.Errorf("%d bytes", total)
		}
		if removed, _, err := audit.Read(dir, audit.Query{Event: "audit.removed", Limit: 1}); err != nil || len(removed) != 1 {
			t.Errorf("%v %v", removed, err)
		}
	})
}

func sizeOf(t *testing.T, dir string) int64 {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	return total
}

// A log whose folder is lost says so to whoever wants a line in it, and heals.
func TestHeals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	l := open(t, audit.Config{Dir: dir})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	if err := l.Append(audit.Entry{Event: "lost"}); err == nil {
		t.Error("a line was written nowhere")
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	write(t, l, "found")
	if r := verify(t, dir); r.Lines != 1 {
		t.Errorf("%+v", r)
	}
}

// Commands leave lines while a server runs or does not, and none is lost or twice.
func TestInbox(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		if err := audit.Post(dir, audit.Entry{Event: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if r := verify(t, dir); r.Inbox != 3 {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile(filepath.Join(dir, "inbox", "z.json"), []byte("no line"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, audit.Config{Dir: dir})
	for range 2 {
		if err := l.TakeInbox(); err != nil {
			t.Fatal(err)
		}
	}
	if r := verify(t, dir); r.Lines != 4 || r.Inbox != 0 {
		t.Errorf("%+v", r)
	}
	lines, _, err := audit.Read(dir, audit.Query{})
	if err != nil || lines[0].Event != "audit.unreadable" || lines[3].Event != "0" {
		t.Errorf("%v %v", lines, err)
	}
}

// Pages lead through the whole log, and filters through a part.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir, Size: 1}) // many small files
	for i := range 300 {
		e := audit.Entry{Event: "e", Actor: fmt.Sprint("a", i%2), Target: fmt.Sprint(i), Detail: map[string]any{"text": strings.Repeat("x", 200)}}
		if i == 299 {
			e.Detail = map[string]any{"text": strings.Repeat("x", 100_000)}
		}
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	r := verify(t, dir)
	var seen []uint64
	for q := (audit.Query{Limit: 7}); ; {
		lines, next, err := audit.Read(dir, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range lines {
			seen = append(seen, e.Seq)
		}
		if next == 0 {
			break
		}
		q.Before = next
	}
	for i, seq := range seen {
		if seq != r.Last-uint64(i) {
			t.Fatalf("line %d of the pages is %d", i, seq)
		}
	}
	if len(seen) != r.Lines {
		t.Errorf("%d lines on pages, %d in the log", len(seen), r.Lines)
	}
	if lines, _, err := audit.Read(dir, audit.Query{Actor: "a1", Target: "299"}); err != nil || len(lines) != 1 || lines[0].Detail["cut"] == nil {
		t.Errorf("%v %v", lines, err)
	}
	if lines, _, err := audit.Read(dir, audit.Query{Since: time.Now().Add(time.Hour)}); err != nil || len(lines) != 0 {
		t.Errorf("%v %v", lines, err)
	}
}

// Whatever is in an entry, what is written can be read and verified.
func FuzzEntry(f *testing.F) {
	f.Add("order", "me", `{"a":1}`)
	f.Add(`","hash":"`, "\x00\xff", `{"hash":"x"}`)
	f.Fuzz(func(t *testing.T, event, actor, detail string) {
		dir := t.TempDir()
		l := open(t, audit.Config{Dir: dir})
		e := audit.Entry{Event: event, Actor: actor}
		_ = json.Unmarshal([]byte(detail), &e.Detail) // none is as good
		for range 2 {
			if err := l.Append(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, dir); r.Lines != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// BenchmarkAppend is what an order costs when n of them come at once.
func BenchmarkAppend(b *testing.B) {
	l := open(b, audit.Config{Dir: b.TempDir()})
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.Append(audit.Entry{Event: "order", Actor: "me", Target: "host-17"}); err != nil {
				b.Error(err)
			}
		}
	})
}
