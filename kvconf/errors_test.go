package kvconf_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

type settings struct {
	ID       string        `kv:"basic.id"`
	Size     int8          `kv:"basic.log.size,bytes"`
	Interval time.Duration `kv:"basic.interval"`
	Password string        `kv:"basic.password,secret"`
	Pin      int           `kv:"basic.pin,secret"`
	Disks    []disk        `kv:"basic.disks"`
}

const broken = `# a file with everything wrong
basic.id = x
basic.id = y
	basic.log.size = 10Q
basic.intervall = 3s
basic.interval = 3
no equals
basic.disks = [{"dev":"8:0","raed_bytes":1},{"dev":8}]
basic.名 = 1
`

// Everything that is wrong with a file comes at once, each with file, line, column and key.
func TestAllErrorsAtOnce(t *testing.T) {
	var c settings
	err := kvconf.NewDecoder(strings.NewReader(broken)).File("agent.conf").Decode(&c)
	want := `agent.conf:3:1: basic.id: the key is set again; it was first set in line 2
agent.conf:4:19: basic.log.size: "10Q" is not a size: unknown unit "Q"
agent.conf:5:1: basic.intervall: unknown key; did you mean basic.interval?
agent.conf:6:18: basic.interval: "3" has no unit; seconds are 3s
agent.conf:7:1: this line is not "key = value": it has no "="
agent.conf:8:29: basic.disks[0].raed_bytes: unknown key; did you mean read_bytes?
agent.conf:8:52: basic.disks[1].dev: in the JSON value, a string is expected, not '8'
agent.conf:9:1: basic.名: unknown key`
	if err == nil || err.Error() != want {
		t.Fatalf("got:\n%v\nwant:\n%s", err, want)
	}
	for _, kind := range []error{kvconf.ErrDuplicateKey, kvconf.ErrValue, kvconf.ErrUnknownKey, kvconf.ErrSyntax} {
		if !errors.Is(err, kind) {
			t.Errorf("the error is not %v", kind)
		}
	}
	if errors.Is(err, kvconf.ErrUnset) || errors.Is(err, kvconf.ErrRange) {
		t.Error("the error is of a kind that did not occur")
	}
	var first *kvconf.Error
	if !errors.As(err, &first) || first.Line != 3 || first.FirstLine != 2 || first.Key != "basic.id" || first.File != "agent.conf" ||
		first.Snippet != "basic.id = y" {
		t.Errorf("the first is %+v", first)
	}
	all := err.(kvconf.Errors)
	if all[2].Suggest != "basic.interval" || all[5].Suggest != "read_bytes" {
		t.Errorf("suggested %q and %q", all[2].Suggest, all[5].Suggest)
	}
}

func TestDetailShowsThePlace(t *testing.T) {
	var c settings
	text := "\tbasic.id = 名字\t字 # c\n\tbasic.log.size = 300\nbasic.disks = \"字\", x\n"
	err := kvconf.NewDecoder(strings.NewReader(text)).File("a.conf").Decode(&c)
	want := `a.conf:2:19: basic.log.size: 300 is more than the 127 bytes that are possible here
  2 |  basic.log.size = 300
    |                   ^
a.conf:3:18: basic.disks: only a blank and a "#" comment may follow the closing quote
  3 | basic.disks = "字", x
    |                   ^`
	if got := err.(kvconf.Errors).Detail(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// A very long line is cut around the place, so that a log is not flooded.
func TestLongTextsAreCut(t *testing.T) {
	long := strings.Repeat("ä", 5000)
	var c settings
	err := kvconf.Unmarshal([]byte("basic.disks = [{\"dev\":\""+long+"\",\"x\":1,\"dev\":\""+long+"\"}]\nbasic.interval = "+long+"\n"+long+" = 1"), &c)
	all := err.(kvconf.Errors)
	if len(all) != 4 {
		t.Fatalf("%d errors", len(all))
	}
	for _, e := range all {
		if len(e.Error()) > 400 || len([]rune(e.Snippet)) > 120 || len(e.Detail()) > 1000 {
			t.Errorf("an error of %d, a snippet of %d and a detail of %d bytes", len(e.Error()), len(e.Snippet), len(e.Detail()))
		}
	}
	detail := all[0].Detail()
	lines := strings.Split(detail, "\n")
	text, caret := []rune(lines[1]), len([]rune(lines[2]))-1
	if lines[2][len(lines[2])-1] != '^' || string(text[caret:caret+3]) != `"x"` {
		t.Errorf("the caret is not below the place:\n%s", detail)
	}
}

// The value of a secret is in no message and no snippet, whatever is wrong with its line.
func TestSecretsAreNotShown(t *testing.T) {
	for _, text := range []string{
		"basic.pin = hunter2", "basic.pin = 1\nbasic.pin = hunter2", "basic.password = \"hunter2", "basic.password = \"hunter2\" x",
		"basic.password = \"hunter2\\q\"", "basic.password = hunter2\x01", "basic.pasword = hunter2", "password = hunter2",
	} {
		var c settings
		err := kvconf.Unmarshal([]byte(text), &c)
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		for _, e := range err.(kvconf.Errors) {
			if s := fmt.Sprintf("%s %+v", e.Detail(), *e); strings.Contains(s, "hunter2") {
				t.Errorf("%q: the secret is shown: %s", text, s)
			}
		}
	}
	var c struct {
		Users []struct {
			Pin int `kv:"pin,secret"`
		} `kv:"users"`
		By map[string]struct {
			Pin int `kv:"pin,secret"`
		} `kv:"by"`
	}
	err := kvconf.Unmarshal([]byte("users = [{\"pin\":\"hunter2\"}]\nby.joe.pin = hunter2\nby = {\"joe\":{\"pin\":\"hunter2\"}}"), &c)
	if err == nil || len(err.(kvconf.Errors)) != 3 || strings.Contains(err.(kvconf.Errors).Detail(), "hunter2") {
		t.Errorf("a secret within another value: %v", err)
	}
}

// A tolerant decoder starts with the file of a newer program, and tells what it did not understand. A value that does not parse
// is an error nonetheless.
func TestTolerant(t *testing.T) {
	var c settings
	d := kvconf.NewDecoder(strings.NewReader("basic.id = x\nbasic.id = y\nbasic.new = 1\nbasic.password = \xff\n")).File("a.conf").Tolerant()
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.ID != "y" || c.Password != "\xff" {
		t.Errorf("decoded to %+v", c)
	}
	var got []string
	for _, f := range d.Findings() {
		got = append(got, f.Error())
	}
	want := []string{
		"a.conf:2:1: basic.id: the key is set again; it was first set in line 1",
		"a.conf:3:1: basic.new: unknown key",
		"a.conf:4:18: basic.password: the byte 0xff is not UTF-8; save the file as UTF-8 text",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("findings:\n%s", strings.Join(got, "\n"))
	}
	d = kvconf.NewDecoder(strings.NewReader("basic.new = 1\nbasic.log.size = big\nno equals")).Tolerant()
	err := d.Decode(&c)
	if len(d.Findings()) != 1 || !errors.Is(err, kvconf.ErrValue) || !errors.Is(err, kvconf.ErrSyntax) || errors.Is(err, kvconf.ErrUnknownKey) {
		t.Errorf("findings %v, error %v", d.Findings(), err)
	}
}

func TestSuggestions(t *testing.T) {
	var c struct {
		LogDir   string `kv:"basic.log.dir"`
		LogSize  int    `kv:"basic.log.size"`
		CPUQuota int    `kv:"basic.limit.cpu_quota"`
		ID       string `kv:"id"`
		Greeting string `kv:"greeting"`
	}
	for key, want := range map[string]string{
		"basic.log.dri":         "basic.log.dir",         // swapped
		"basic.log.di":          "basic.log.dir",         // left out
		"basic.log.siize":       "basic.log.size",        // added
		"basic.log.sise":        "basic.log.size",        // mistaken
		"Basic.Log.Dir":         "basic.log.dir",         // case
		"basic.limit.cpu-quota": "basic.limit.cpu_quota", // dash
		"log.dir":               "basic.log.dir",         // without its section
		"basic.greeting":        "greeting",              // with a section
		"basic.log.level":       "",                      // nothing near
		"x":                     "",
		"idd":                   "id",
	} {
		err := kvconf.Unmarshal([]byte(key+" = 1"), &c)
		var e *kvconf.Error
		if !errors.As(err, &e) || e.Suggest != want {
			t.Errorf("%s: suggested %q, want %q", key, e.Suggest, want)
		}
		if strings.Contains(err.Error(), "did you mean") != (want != "") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// An input with very many problems gives a list that can be read and does not take its square in time.
func TestVeryManyProblems(t *testing.T) {
	const n = 200_000
	for name, line := range map[string]string{"unknown": "key%d = 1\n", "duplicate": "a = 1\n", "bad": "nothing\n", "value": "n = x\n"} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for i := range n {
				if strings.Contains(line, "%d") {
					fmt.Fprintf(&b, line, i)
				} else {
					b.WriteString(line)
				}
			}
			var c struct {
				A string `kv:"a"`
				N int    `kv:"n"`
			}
			err := kvconf.NewDecoder(strings.NewReader(b.String())).File("x").Decode(&c)
			all := err.(kvconf.Errors)
			if len(all) != 1001 || !strings.Contains(all[1000].Msg, "more problems") {
				t.Errorf("%d problems, the last is %v", len(all), all[len(all)-1])
			}
			d := kvconf.NewDecoder(strings.NewReader(b.String())).Tolerant()
			if err := d.Decode(&c); err == nil && len(d.Findings()) != 1001 || err != nil && len(err.(kvconf.Errors)) != 1001 {
				t.Errorf("tolerant: %d findings, %v", len(d.Findings()), err)
			}
			var m map[string]string
			err = kvconf.Unmarshal([]byte(b.String()), &m)
			if name == "unknown" && (err != nil || len(m) != n) {
				t.Errorf("%d keys, %v", len(m), err)
			}
			if _, err := kvconf.Parse([]byte(b.String())); name == "bad" && len(err.(kvconf.Errors)) != 1001 {
				t.Errorf("Parse gives %d", len(err.(kvconf.Errors)))
			}
		})
	}
}

// A tolerant decoder that has kept enough findings still says what makes it fail.
func TestErrorBehindManyFindings(t *testing.T) {
	var c settings
	text := strings.Repeat("new.key = 1\n", 2000) + "basic.log.size = big\n"
	d := kvconf.NewDecoder(strings.NewReader(text)).Tolerant()
	if err := d.Decode(&c); !errors.Is(err, kvconf.ErrValue) || !strings.Contains(err.Error(), "line 2001:18") {
		t.Errorf("got %v", err)
	}
}

func TestMaxLine(t *testing.T) {
	var m map[string]string
	long := "a = " + strings.Repeat("x", 70_000)
	if err := kvconf.NewDecoder(strings.NewReader(long + "\nb = 1\n")).Decode(&m); err != nil || len(m["a"]) != 70_000 || m["b"] != "1" {
		t.Errorf("a line of 70 kB: %v", err)
	}
	for _, end := range []string{"", "\n", "\r\n", "\nb = 1"} {
		m = nil
		if err := kvconf.NewDecoder(strings.NewReader("c = 1\n" + long + end)).MaxLine(len(long)).Decode(&m); err != nil || len(m["a"]) != 70_000 {
			t.Errorf("a line of the limit with the end %q: %v", end, err)
		}
		err := kvconf.NewDecoder(strings.NewReader("c = 1\n" + long + end)).File("x").MaxLine(len(long) - 1).Decode(&m)
		if !errors.Is(err, kvconf.ErrLineTooLong) || !strings.HasPrefix(err.Error(), "x:2:1: the line is longer than 70003 bytes") {
			t.Errorf("a line over the limit with the end %q: %v", end, err)
		}
	}
	// An endless line is not read to its end.
	if err := kvconf.NewDecoder(endless{}).MaxLine(1 << 20).Decode(&m); !errors.Is(err, kvconf.ErrLineTooLong) {
		t.Errorf("an endless line: %v", err)
	}
	if err := kvconf.NewDecoder(strings.NewReader(long)).MaxLine(0).Decode(&m); err != nil {
		t.Errorf("no limit: %v", err)
	}
	if err := kvconf.Unmarshal([]byte("a = "+strings.Repeat("x", 20<<20)), &m); err != nil {
		t.Errorf("a line of 20 MiB that is in memory already: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestReaders(t *testing.T) {
	var m map[string]string
	text := "a = 1\nb = 2\n"
	for _, r := range []io.Reader{
		iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text)), iotest.HalfReader(strings.NewReader(text)),
	} {
		m = nil
		if err := kvconf.NewDecoder(r).MaxLine(5).Decode(&m); err != nil || len(m) != 2 {
			t.Errorf("%T: %v, %v", r, m, err)
		}
	}
	broken := errors.New("the disk is on fire")
	err := kvconf.NewDecoder(iotest.ErrReader(broken)).File("agent.conf").Decode(&m)
	if !errors.Is(err, broken) || err.Error() != `read configuration "agent.conf": the disk is on fire` {
		t.Errorf("got %v", err)
	}
	if err := kvconf.NewDecoder(iotest.ErrReader(broken)).MaxLine(0).Decode(&m); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// Settings from a file of another format are decoded in the same strict way, with their own places.
func TestEntries(t *testing.T) {
	var c settings
	err := kvconf.NewEntryDecoder([]kvconf.Entry{
		{Key: "basic.id", Value: "x", Line: 3, Column: 7, KeyColumn: 3},
		{Key: "basic.log.size", Value: "big", Line: 4, Column: 9, KeyColumn: 3},
		{Key: "basic.id", Value: "y", Line: 5, Column: 7, KeyColumn: 3},
		{Key: "basic.idd", Value: "y"},
		{Key: "basic.interval", Value: "null", Quoted: true, Line: 6, Column: 8},
	}).File("agent.yaml").Decode(&c)
	want := `agent.yaml:4:9: basic.log.size: "big" is not a size: it does not start with a number
agent.yaml:5:3: basic.id: the key is set again; it was first set in line 3
agent.yaml: basic.idd: unknown key; did you mean basic.id?
agent.yaml:6:8: basic.interval: "null" is not a duration such as 500ms, 30s, 5m or 1h30m`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	var m map[string]string
	err = kvconf.NewEntryDecoder([]kvconf.Entry{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}}).Decode(&m)
	if !errors.Is(err, kvconf.ErrDuplicateKey) || err.Error() != "a: the key is set again" {
		t.Errorf("entries without place: %v", err)
	}
}

// The entries of a Document are decoded as the file would be, with the same words.
func TestEntriesOfDocument(t *testing.T) {
	text := strings.Replace(broken, "no equals", `basic.password = "a\\b"`, 1)
	doc, err := kvconf.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var direct, indirect settings
	want := kvconf.NewDecoder(strings.NewReader(text)).File("x").Decode(&direct)
	got := kvconf.NewEntryDecoder(doc.Entries()).File("x").Decode(&indirect)
	if got.(kvconf.Errors).Detail() != want.(kvconf.Errors).Detail() || !reflect.DeepEqual(direct, indirect) {
		t.Errorf("got:\n%v\nwant:\n%v", got, want)
	}
}
