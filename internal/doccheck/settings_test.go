package doccheck_test

import (
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
)

type disk struct {
	Dev string `kv:"dev"`
}

type section struct {
	Level  slog.Level    `kv:"level"`
	Size   int64         `kv:"size,bytes"`
	Age    time.Duration `kv:"age"`
	Hidden string        `kv:"-"`
}

type settings struct {
	ID    string   `kv:"id,expand"`
	On    *bool    `kv:"on"`
	Names []string `kv:"names"`
	Disks []disk   `kv:"disks"`
	Log   section  `kv:"log"`
	Count uint16   `kv:"count"`
	Other string
}

func TestSettings(t *testing.T) {
	want := []doccheck.Setting{
		{Key: "id", Type: "text", Expands: true},
		{Key: "on", Type: "boolean"},
		{Key: "names", Type: "list"},
		{Key: "disks", Type: "JSON"},
		{Key: "log.level", Type: "text"},
		{Key: "log.size", Type: "size"},
		{Key: "log.age", Type: "duration"},
		{Key: "count", Type: "integer"},
	}
	if got := doccheck.SettingsOf(reflect.TypeFor[settings]()); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	const doc = "# A\n| key | type | default | |\n|---|---|---|---|\n| `id` **$** | text | | x |\n| `size` | size | `10M` | |\n# B\n| key | type | default | |\n|---|---|---|---|\n"
	want = []doccheck.Setting{{Key: "b.id", Type: "text", Expands: true}, {Key: "b.size", Type: "size", Default: "10M"}}
	if got := doccheck.Settings(doc, "A", "b."); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
