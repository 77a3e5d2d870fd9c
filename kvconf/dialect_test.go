package kvconf_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// The dialect of the field gives what agents of the field write themselves, or an error.
func TestFieldDialect(t *testing.T) {
	var c agent
	c.ID, c.Server, c.Log.Target = "renamed-01", "127.0.0.1:13085", []string{"stdout", "file"}
	c.Log.Size, c.Monitor.Interval = 10_000_000, 2*time.Second
	c.Limit.DiskLimit = []disk{{Dev: "8:0"}}
	c.Task.Conns.Allow = []string{}
	var b bytes.Buffer
	if err := kvconf.NewEncoder(&b).Dialect(kvconf.DialectField).Encode(c); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"basic.id=renamed-01\n", "basic.log.target=stdout,file\n", "basic.log.size=10M\n", "basic.monitor.interval=2s\n", "basic.log.dir=\n",
		"basic.limit.memory_limit=0\n", "basic.limit.disk_limit=[{\"dev\":\"8:0\"", "task.jobs=\n", "task.conns.allow=\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	c.Limit.DiskLimit = nil
	b.Reset()
	if err := kvconf.NewEncoder(&b).Dialect(kvconf.DialectField).Encode(c); err != nil || !strings.Contains(b.String(), "disk_limit=null\n") {
		t.Errorf("%v, %s", err, b.String())
	}
	for want, v := range map[string]any{
		`v: agents of the field cannot read the value: it has a "#"`: one[string]{"a#b"},
		"it has a control character or is not UTF-8":                 one[string]{"a\nb"},
		"it needs quotes":                 one[string]{" a"},
		"the value: it needs quotes":      one[string]{`"a"`},
		"it is longer than 64 KiB":        one[string]{strings.Repeat("x", 64<<10)},
		`the key has a "#"`:               map[string]string{"a#b": "1"},
		"cannot read a list with a comma": one[[]string]{[]string{"a,b"}},
		"needs quotes":                    one[*string]{ptr("null")},
	} {
		b.Reset()
		err := kvconf.NewEncoder(&b).Dialect(kvconf.DialectField).Encode(v)
		if !errors.Is(err, kvconf.ErrUnwritable) || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%+v: %v, want %q; written: %q", v, err, want, b.String())
		}
	}
	b.Reset()
	if err := kvconf.NewEncoder(&b).Dialect(kvconf.DialectField).Encode(one[*string]{}); err != nil || b.Len() > 0 {
		t.Errorf("a nil pointer: %q, %v", b.String(), err)
	}
	// The longest line that agents of the field read: their reader takes less than 64 KiB with the line end.
	b.Reset()
	long := strings.Repeat("x", 64<<10-4)
	if err := kvconf.NewEncoder(&b).Dialect(kvconf.DialectField).Encode(one[string]{long}); err != nil || b.Len() != 64<<10-1 {
		t.Errorf("a line of %d bytes: %v", b.Len(), err)
	}
}
