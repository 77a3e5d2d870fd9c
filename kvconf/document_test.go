package kvconf_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
)

func parse(t *testing.T, text string) *kvconf.Document {
	t.Helper()
	doc, err := kvconf.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocumentReads(t *testing.T) {
	doc := parse(t, "\ufeffa.x = 1 # c\r\nb = \" 2 \"\r\n# c = 3\r\na.x = 4\r\nempty =")
	for key, want := range map[string]string{"a.x": "4", "b": " 2 ", "empty": ""} {
		if got, ok := doc.Get(key); !ok || got != want {
			t.Errorf("%s: %q, %v, want %q", key, got, ok, want)
		}
	}
	if got, ok := doc.Get("c"); ok || got != "" {
		t.Errorf("a commented setting is read: %q", got)
	}
	if keys := doc.Keys(); !reflect.DeepEqual(keys, []string{"a.x", "b", "empty"}) {
		t.Errorf("keys: %q", keys)
	}
	entries := doc.Entries()
	if len(entries) != 4 || entries[1].Value != " 2 " || !entries[1].Quoted || entries[3].Line != 5 || entries[3].Column != 8 {
		t.Errorf("entries: %+v", entries)
	}
}

// A change touches the value and nothing else.
func TestSet(t *testing.T) {
	for _, c := range []struct{ before, key, value, after string }{
		{"id = a\n", "id", "b", "id = b\n"},
		{"id=a\n", "id", "b", "id=b\n"},
		{"  id\t=\ta  # c\r\nx = 1", "id", "bb", "  id\t=\tbb  # c\r\nx = 1"},
		{"id =\n", "id", "b", "id = b\n"},
		{"id = \n", "id", "b", "id = b\n"},
		{"id=\n", "id", "b", "id=b\n"},
		{"id=", "id", "b", "id=b"},
		{"id =", "id", "b", "id = b"},
		{"id = # c\n", "id", "b", "id = b # c\n"},
		{"id =   # c\n", "id", "b", "id = b   # c\n"},
		{"id= # c\n", "id", "b", "id=b # c\n"},
		{"id =\t# c\n", "id", "b", "id = b\t# c\n"},
		{"id = \"a\" # c\n", "id", "b", "id = \"b\" # c\n"},
		{"id = 'a' # c\n", "id", "b", "id = b # c\n"},
		{"id = \"\"\n", "id", "b", "id = \"b\"\n"},
		{"id = a\n", "id", "", "id = \n"},
		{"id = a # c\n", "id", "", "id =  # c\n"},
		{"id=a # c\n", "id", "", "id= # c\n"},
		{"id = a\n", "id", "x #y", "id = \"x #y\"\n"},
		{"id = a\n", "id", "x#y", "id = x#y\n"},
		{"id=a\n", "id", "#y", "id=\"#y\"\n"},
		{"id = a\n", "id", "a\nb = 1", "id = \"a\\nb = 1\"\n"},
		{"id = a\n", "id", " edge", "id = \" edge\"\n"},
		{"id = \"a\"\n", "id", "a", "id = \"a\"\n"},                   // it has this value already
		{"id = a\nid = b\n", "id", "c", "id = a\nid = c\n"},           // the last one counts
		{"\ufeffid = a\n", "id", "b", "\ufeffid = b\n"},               // the mark stays
		{"id = a\nbroken\n", "id", "b", "id = b\nbroken\n"},           // as does what is wrong
		{"", "id", "b", "id = b\n"},                                   // new settings
		{"# only a comment", "id", "b", "# only a comment\nid = b\n"}, // the line gets its end
		{"a = 1", "id", "b", "a = 1\nid = b\n"},
		{"a=1\n", "id", "b", "a=1\nid=b\n"},
		{"a=1\n", "id", "", "a=1\nid=\n"},
		{"a = 1\n", "id", "", "a = 1\nid =\n"},
		{"a = 1\r\n", "id", "b", "a = 1\r\nid = b\r\n"},
		{"a.x = 1\nb.x = 2\n# end\n", "a.y", "3", "a.x = 1\na.y = 3\nb.x = 2\n# end\n"},
		{"a.x = 1\nb.x = 2", "b.y", "3", "a.x = 1\nb.x = 2\nb.y = 3\n"},
		{"a.b.c = 1\na.x=1\na.b.d = 2\nz = 1\n", "a.b.e", "3", "a.b.c = 1\na.x=1\na.b.d = 2\na.b.e = 3\nz = 1\n"},
		{"a.b.c = 1\nz=1\n", "a.x", "3", "a.b.c = 1\na.x = 3\nz=1\n"},
		{"\ufeff", "a", "1", "\ufeffa = 1\n"},
	} {
		doc, _ := kvconf.Parse([]byte(c.before))
		if err := doc.Set(c.key, c.value); err != nil {
			t.Errorf("%q: %v", c.before, err)
		}
		if got := string(doc.Bytes()); got != c.after {
			t.Errorf("%q, %s = %q:\ngot  %q\nwant %q", c.before, c.key, c.value, got, c.after)
		}
		if got, ok := doc.Get(c.key); !ok || got != c.value {
			t.Errorf("%q: %s is %q after it was set to %q", c.before, c.key, got, c.value)
		}
		again, _ := kvconf.Parse(doc.Bytes())
		if got, ok := again.Get(c.key); !ok || got != c.value {
			t.Errorf("%q: %s is read as %q after it was set to %q", c.before, c.key, got, c.value)
		}
	}
}

func TestSetRefusesKeys(t *testing.T) {
	doc := parse(t, "a = 1\n")
	for _, key := range []string{"", " a", "a\nb", "a=b", "#a", "a #b", "\"a\"", "'a'", "\xff", "\ufeffa", "a\u3000"} {
		var e *kvconf.Error
		if err := doc.Set(key, "x"); !errors.Is(err, kvconf.ErrUnwritable) || !errors.As(err, &e) || e.Key != key {
			t.Errorf("%q: %v", key, err)
		}
	}
	if got := string(doc.Bytes()); got != "a = 1\n" {
		t.Errorf("the document is now %q", got)
	}
}

func TestDelete(t *testing.T) {
	doc := parse(t, "# c\na = 1\nb = 2 # b\r\na = 3\n\nc = 4")
	if !doc.Delete("a") || doc.Delete("a") || doc.Delete("nobody") {
		t.Error("what Delete reports is wrong")
	}
	if got := string(doc.Bytes()); got != "# c\nb = 2 # b\r\n\nc = 4" {
		t.Errorf("got %q", got)
	}
	if _, ok := doc.Get("a"); ok {
		t.Error("a is still there")
	}
	if err := doc.Set("a", "5"); err != nil {
		t.Fatal(err)
	}
	if got := string(doc.Bytes()); got != "# c\nb = 2 # b\r\n\nc = 4\na = 5\n" {
		t.Errorf("got %q", got)
	}
}

// The recorded case of the field: an assigned id goes into the file, and no comment is lost.
func TestAssignedID(t *testing.T) {
	data, err := os.ReadFile("testdata/conf/example-empty-id.before.conf")
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, string(data))
	if err := doc.Set("basic.id", "agent-20261120-6f51bedf71994cff"); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(data), "basic.id =\n", "basic.id = agent-20261120-6f51bedf71994cff\n", 1)
	if got := string(doc.Bytes()); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestParseKeepsWhatIsWrong(t *testing.T) {
	const text = "a = 1\nnothing\nb = \"x\nc = 2\n"
	doc, err := kvconf.Parse([]byte(text))
	if all := (kvconf.Errors)(nil); !errors.As(err, &all) || len(all) != 2 || all[1].Key != "b" || all[1].Line != 3 {
		t.Errorf("got %v", err)
	}
	if string(doc.Bytes()) != text || !reflect.DeepEqual(doc.Keys(), []string{"a", "c"}) {
		t.Errorf("the document: %q, keys %q", doc.Bytes(), doc.Keys())
	}
}

func TestDocumentsOfManyKeys(t *testing.T) {
	doc := parse(t, "")
	const n = 5000
	for i := range n {
		if err := doc.Set(fmt.Sprintf("s%d.k%d", i%50, i), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	var m map[string]string
	if err := kvconf.Unmarshal(doc.Bytes(), &m); err != nil || len(m) != n || m["s7.k57"] != "57" {
		t.Errorf("%d keys, %v", len(m), err)
	}
	last := -1
	for _, key := range doc.Keys() {
		var section, k int
		if _, err := fmt.Sscanf(key, "s%d.k%d", &section, &k); err != nil || section < last {
			t.Fatalf("%s is behind section %d, %v", key, last, err)
		}
		last = section
	}
}

func TestDocumentIsReadConcurrently(t *testing.T) {
	doc := parse(t, "a = 1\nb = 2\n")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if v, _ := doc.Get("b"); v != "2" || len(doc.Keys()) != 2 || len(doc.Entries()) != 2 || len(doc.Bytes()) != 12 {
					t.Error("a document that nobody changes has changed")
				}
			}
		})
	}
	wg.Wait()
}

func TestWriteTo(t *testing.T) {
	var b bytes.Buffer
	if n, err := parse(t, "a = 1\n").WriteTo(&b); n != 6 || err != nil || b.String() != "a = 1\n" {
		t.Errorf("%d, %v, %q", n, err, b.String())
	}
}

// What one file says is the same, however often it is written.
func TestFilesOfTheFieldAreStable(t *testing.T) {
	files, _ := filepath.Glob("testdata/*/*.conf")
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, _ := kvconf.Parse(data)
		for _, key := range doc.Keys() {
			value, _ := doc.Get(key)
			if err := doc.Set(key, value); err != nil {
				t.Errorf("%s: %s: %v", name, key, err)
			}
		}
		if !bytes.Equal(doc.Bytes(), data) {
			t.Errorf("%s: values that are set to themselves change the file", name)
		}
	}
}
