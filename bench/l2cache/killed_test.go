package l2cache_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
)

// childArgument makes the test's program put or take records, so that it can be killed.
const childArgument = "child"

// killAfter is how many records are acknowledged before the process is killed.
const killAfter = 5_000

// numbered is a record of 200 bytes that says which it is.
func numbered(i int) []byte {
	head := fmt.Sprintf("record %08d ", i)
	return append([]byte(head), bytes.Repeat([]byte{byte('a' + i%26)}, 200-len(head))...)
}

// child does what a process shall do that is started with "child put|take PEER DIR": it puts records for ever and prints the
// number of each that is acknowledged, or takes all of them and prints the number of each, and "wrong" for one that nobody has put.
func child(args []string) {
	p := peers[slices.IndexFunc(peers, func(p peer) bool { return p.name == args[1] })]
	q, err := p.open(args[2], false)
	if errors.Is(err, errOnlySync) {
		q, err = p.open(args[2], true)
	}
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	for i := 1; args[0] == "put"; i++ {
		if err := q.put(numbered(i)); err != nil {
			fmt.Println("put:", err)
			return
		}
		fmt.Println(i)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for more := true; more; {
		more = false
		err := q.take(takeAtOnce, func(record []byte) {
			more = true
			var i int
			if _, err := fmt.Sscanf(string(record), "record %d ", &i); err != nil || !bytes.Equal(record, numbered(i)) {
				fmt.Fprintln(out, "wrong")
				return
			}
			fmt.Fprintln(out, i)
		})
		if err != nil {
			fmt.Fprintln(out, "take:", err)
			return
		}
	}
}

// What is there of the records that a peer has acknowledged, when its process was killed with -9; when a byte was turned then
// in the middle of the records; and when seven bytes were cut from the end.
func TestKilled(t *testing.T) {
	out := new(strings.Builder)
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "peer\tacknowledged\tfound after kill -9\tand one byte turned\tand seven bytes cut\t")
	for _, p := range peers {
		if p.limit || p.takes {
			continue
		}
		dir := t.TempDir()
		acknowledged := killed(t, p, dir)
		fmt.Fprintf(tw, "%s\t%d\t", p.name, acknowledged)
		for _, damage := range []func(t *testing.T, dir string, acknowledged int){none, turnByte, cutTail} {
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			damage(t, copied, acknowledged)
			f := takeFrom(t, p, copied, acknowledged)
			fmt.Fprintf(tw, "%s\t", f)
			if p.name == ours {
				f.check(t, acknowledged)
			}
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
	t.Logf("\n%s", out)
}

// killed lets a peer put records and kills it.
func killed(t *testing.T, p peer, dir string) (acknowledged int) {
	cmd := exec.Command(os.Args[0], childArgument, "put", p.name, dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if acknowledged, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatalf("%s: %s", p.name, lines.Text())
		}
		if acknowledged == killAfter {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // was killed
	return acknowledged
}

// found is what a peer gives back.
type found struct {
	acknowledged int // of those that it has acknowledged
	wrong        int // others, or those that come twice
	problem      string
}

func (f found) String() string {
	s := fmt.Sprint(f.acknowledged)
	if f.wrong > 0 {
		s += fmt.Sprintf(", %d wrong", f.wrong)
	}
	if f.problem != "" {
		s += ", " + f.problem
	}
	return s
}

// check fails when ours has lost more than it may: nothing when it was killed, and one record for damage.
func (f found) check(t *testing.T, acknowledged int) {
	if f.acknowledged < acknowledged-1 || f.wrong > 0 || f.problem != "" {
		t.Errorf("%s: %d acknowledged, found %s", ours, acknowledged, f)
	}
}

// takeFrom lets a peer take what is there.
func takeFrom(t *testing.T, p peer, dir string, acknowledged int) (f found) {
	out, err := exec.Command(os.Args[0], childArgument, "take", p.name, dir).Output()
	if err != nil {
		f.problem = "crashes"
	}
	seen := map[int]bool{}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		i, err := strconv.Atoi(line)
		switch {
		case err == nil && !seen[i]:
			seen[i] = true
			if i <= acknowledged {
				f.acknowledged++
			}
		case err == nil || line == "wrong":
			f.wrong++
		default:
			what, _, _ := strings.Cut(line, ":")
			f.problem = "fails to " + what
			t.Logf("%s: %s", p.name, line)
		}
	}
	return f
}

func none(*testing.T, string, int) {}

// turnByte turns a byte of the record in the middle.
func turnByte(t *testing.T, dir string, acknowledged int) {
	path, content, at := locate(t, dir, acknowledged/2)
	content[at+100] ^= 0x20
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// cutTail cuts seven bytes from the end of the file that has the last record.
func cutTail(t *testing.T, dir string, acknowledged int) {
	path, content, _ := locate(t, dir, acknowledged)
	if err := os.Truncate(path, int64(len(content)-7)); err != nil {
		t.Fatal(err)
	}
}

// locate finds a record in the files of a folder; when it is in none, the last one that is.
func locate(t *testing.T, dir string, number int) (path string, content []byte, at int) {
	for ; number > 0; number-- {
		head := numbered(number)[:len("record 00000000 ")]
		err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(file)
			if i := bytes.Index(b, head); i >= 0 {
				path, content, at = file, b, i
				return fs.SkipAll
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if path != "" {
			return path, content, at
		}
	}
	t.Fatalf("no record in %s", dir)
	return "", nil, 0
}
