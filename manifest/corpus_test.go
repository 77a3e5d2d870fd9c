package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
)

// wanted is what the first line of a bad file says: "# want: ID severity line:col slug".
type wanted struct {
	rule, severity string
	line, column   int
	anyPlace       bool // the finding is about the file as a whole
	lineOnly       bool // the place is that of the YAML parser: a line, which may be one off
}

func wantOf(t *testing.T, data []byte) wanted {
	t.Helper()
	first, _, _ := strings.Cut(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	var w wanted
	var slug string
	if _, err := fmt.Sscanf(first, "# want: %s %s %d:%d %s", &w.rule, &w.severity, &w.line, &w.column, &slug); err != nil {
		t.Fatalf("%q: %v", first, err)
	}
	w.anyPlace = strings.Contains(first, "file-level")
	w.lineOnly = strings.Contains(first, "line-only")
	return w
}

func (w wanted) matches(f manifest.Finding) bool {
	if string(f.Rule) != w.rule || f.Severity.String() != w.severity {
		return false
	}
	switch {
	case w.anyPlace:
		return true
	case w.lineOnly:
		return max(f.Line-w.line, w.line-f.Line) <= 1
	}
	return f.Line == w.line && f.Column == w.column
}

func corpus(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files in", dir, err)
	}
	all := make(map[string][]byte)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = data
	}
	return all
}

// Each bad file has one defect, and its author is told of that one, at its place, and of nothing else.
func TestBadCorpus(t *testing.T) {
	for name, data := range corpus(t, "corpus/bad") {
		t.Run(name, func(t *testing.T) {
			want := wantOf(t, data)
			found := manifest.Check(data, nil).Findings
			if len(found) != 1 || !want.matches(found[0]) {
				t.Errorf("want %+v, got:\n%s", want, lines(found))
			}
		})
	}
}

// A manifest that is right gives no finding, however odd it looks.
func TestGoodCorpus(t *testing.T) {
	for name, data := range corpus(t, "corpus/good") {
		t.Run(name, func(t *testing.T) {
			result := manifest.Check(data, nil)
			if len(result.Findings) > 0 {
				t.Errorf("got:\n%s", lines(result.Findings))
			}
			if result.Manifest == nil || len(result.Manifest.Items) == 0 {
				t.Error("no items")
			}
		})
	}
}

func lines(found []manifest.Finding) string { return manifest.Problems(found).Error() }
