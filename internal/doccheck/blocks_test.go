package doccheck_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
)

func ExampleBlocks() {
	for _, b := range doccheck.Blocks("Run it:\n\n```sh\nmake demo\n```\n") {
		fmt.Print(b.Line, " ", b.Lang, " ", b.Text)
	}
	// Output: 4 sh make demo
}

func TestTables(t *testing.T) {
	const doc = "# One\n\n| a | b |\n|---|:---:|\n| `x \\| y` | |\n| 1 | 2 |\n| 3 |\n\n```\n| no | table |\n|---|---|\n```\n" +
		"## Two\n| no rule | here |\n| x | y |\n\n| c |\n|-----|\n"
	want := []doccheck.Table{
		{Line: 3, Heading: "One", Head: []string{"a", "b"}, Rows: [][]string{{"`x | y`", ""}, {"1", "2"}}},
		{Line: 17, Heading: "Two", Head: []string{"c"}},
	}
	if got := doccheck.Tables(doc); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestBlocks(t *testing.T) {
	const doc = "```go\na\n\n``` \nb\n```\n``\n```x\n```\n```sh\nopen"
	want := []doccheck.Block{{2, "go", "a\n\n"}, {7, "", "``\n```x\n"}, {11, "sh", "open\n"}}
	if got := doccheck.Blocks(doc); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A document put together from any block and any cell gives both back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("sh", "make demo\n", "cell", "a | b")
	f.Add("", "", "", "```")
	f.Fuzz(func(t *testing.T, lang, code, first, second string) {
		if strings.ContainsAny(lang, "\n\r") || strings.ContainsAny(first+second, "\n\r\x00\\") || strings.Contains(code, "\r") {
			t.Skip()
		}
		var clean strings.Builder
		for line := range strings.SplitSeq(code, "\n") {
			if line = strings.TrimRight(line, " \t"); line != "```" {
				clean.WriteString(line + "\n")
			}
		}
		escape := strings.NewReplacer("|", `\|`)
		doc := "```" + lang + "\n" + clean.String() + "```\n| h | i |\n|---|---|\n| " + escape.Replace(first) + " | " + escape.Replace(second) + " |\n"
		blocks, tables := doccheck.Blocks(doc), doccheck.Tables(doc)
		if want := (doccheck.Block{Line: 2, Lang: strings.TrimRight(lang, " \t"), Text: clean.String()}); len(blocks) != 1 || blocks[0] != want {
			t.Fatalf("blocks %q, want %q", blocks, want)
		}
		fenced := strings.Count(clean.String(), "\n```") > 0 || strings.HasPrefix(clean.String(), "```")
		if fenced {
			return // a line that begins like a fence: only Blocks tells it from one
		}
		row := []string{strings.TrimSpace(first), strings.TrimSpace(second)}
		if len(tables) != 1 || !reflect.DeepEqual(tables[0].Rows, [][]string{row}) {
			t.Fatalf("tables %q, want the row %q", tables, row)
		}
	})
}
