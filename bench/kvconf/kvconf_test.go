package kvconf_test

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// many is how many settings the large file has.
const many = 10_000

func pairKey(i int) string   { return "section" + strconv.Itoa(i/100) + ".key" + strconv.Itoa(i) }
func pairValue(i int) string { return "/some/value/" + strconv.Itoa(i*7919) }

func TestMain(m *testing.M) {
	code := m.Run()
	results.print(os.Stdout)
	os.Exit(code)
}

func BenchmarkDecode25(b *testing.B) {
	for _, p := range peers() {
		run(b, p.name, len(p.text), func() error {
			_, err := p.decode([]byte(p.text))
			return err
		})
	}
}

func BenchmarkMap10000(b *testing.B) {
	for _, p := range peers() {
		data := p.pairs()
		run(b, p.name, len(data), func() error {
			_, err := p.toMap(data)
			return err
		})
	}
}

func BenchmarkEncode25(b *testing.B) {
	c := want[time.Duration]()
	for _, p := range peers() {
		encode := p.encode(&c)
		run(b, p.name, 0, func() error {
			_, err := encode()
			return err
		})
	}
}

func BenchmarkRewrite25(b *testing.B) {
	for _, p := range peers() {
		data := []byte(p.text)
		run(b, p.name, len(data), func() error {
			_, err := p.rewrite(data, rewritten)
			return err
		})
	}
}

func run(b *testing.B, name string, size int, job func() error) {
	b.Run(name, func(b *testing.B) {
		if err := job(); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.SetBytes(int64(size))
		memory := readMemory()
		for b.Loop() {
			if err := job(); err != nil {
				b.Fatal(err)
			}
		}
		results.add(strings.TrimPrefix(strings.SplitN(b.Name(), "/", 2)[0], "Benchmark"), name, b.Elapsed(), b.N, memory)
	})
}

// A comparison of speed is worth nothing when a peer does not do the job.
func TestPeersDoTheJob(t *testing.T) {
	for _, p := range peers() {
		t.Run(p.name, func(t *testing.T) {
			got, err := p.decode([]byte(p.text))
			if err != nil {
				t.Fatal(err)
			}
			var w any
			if _, ok := got.(*conf[textDuration]); ok {
				c := want[textDuration]()
				w = &c
			} else {
				c := want[time.Duration]()
				w = &c
			}
			if !reflect.DeepEqual(got, w) {
				t.Errorf("decoded to %+v\nwant %+v", got, w)
			}
			m, err := p.toMap(p.pairs())
			if err != nil {
				t.Fatal(err)
			}
			if len(m) != many || m[pairKey(1234)] != pairValue(1234) {
				t.Errorf("a map of %d, %q", len(m), m[pairKey(1234)])
			}
			c := want[time.Duration]()
			if text, err := p.encode(&c)(); err != nil || !strings.Contains(string(text), c.Basic.ID) {
				t.Errorf("encoded to %q, %v", text, err)
			}
			text, err := p.rewrite([]byte(p.text), rewritten)
			if err != nil {
				t.Fatal(err)
			}
			again, err := p.decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if id := reflect.ValueOf(again).Elem().FieldByName("Basic").FieldByName("ID").String(); id != rewritten {
				t.Errorf("the id is %q", id)
			}
			t.Log(lost(p.text, string(text)))
		})
	}
}

// lost says how much of a text is no longer in it after a rewrite.
func lost(before, after string) string {
	comments := strings.Count(before, "# ") - strings.Count(after, "# ")
	kept := map[string]bool{}
	for line := range strings.Lines(after) {
		kept[line] = true
	}
	lines := 0
	for line := range strings.Lines(before) {
		if !kept[line] {
			lines++
		}
	}
	return fmt.Sprintf("rewrite: %d comments lost, %d lines changed", comments, lines)
}
