package kvconf_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// describe gives everything that Parse and a strict decoder make of a file.
func describe(t *testing.T, data []byte) string {
	t.Helper()
	var b strings.Builder
	doc, err := kvconf.Parse(data)
	for _, e := range doc.Entries() {
		fmt.Fprintf(&b, "%d:%d:%d %q = %q", e.Line, e.KeyColumn, e.Column, e.Key, e.Value)
		if e.Quoted {
			b.WriteString(" quoted")
		}
		b.WriteByte('\n')
	}
	if got := doc.Bytes(); !bytes.Equal(got, data) {
		t.Errorf("the document gives %q for %q", got, data)
	}
	b.WriteString("parse: " + details(t, err) + "\n")
	var m map[string]string
	d := kvconf.NewDecoder(bytes.NewReader(data)).File("x.conf")
	b.WriteString("strict: " + details(t, d.Decode(&m)) + "\n")
	d = kvconf.NewDecoder(bytes.NewReader(data)).File("x.conf").Tolerant()
	b.WriteString("tolerant: " + details(t, d.Decode(&m)) + "\n")
	for _, f := range d.Findings() {
		b.WriteString("finding: " + f.Error() + "\n")
	}
	return b.String()
}

func details(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "ok"
	}
	var all kvconf.Errors
	if !errors.As(err, &all) {
		t.Fatalf("%T is not Errors: %v", err, err)
	}
	return all.Detail()
}

// Each odd file must be read as its golden file says, or be refused with these words.
func TestOddFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/odd/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(t, data)
			golden := strings.TrimSuffix(name, ".conf") + ".out"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
