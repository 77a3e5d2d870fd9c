package lint_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest/lint"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file, or rewrites the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update rewrites it. Got:\n%s", name, got)
	}
}

// run runs the command in this process.
func run(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = lint.Command{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs}.Main(args)
	return code, out.String(), errs.String()
}

// Each file tries rules where a manifest of the field may break them: in flow style, with CRLF, behind anchors, in text that is
// twice as wide as it is long. The golden file shows each finding with its caret.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, out, errs := run("", "-enable", "ML113,ML413", name)
			if errs != "" {
				t.Error(errs)
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".out", out)
		})
	}
}

// In Chinese, too, every finding has its place and its caret.
func TestCasesInChinese(t *testing.T) {
	_, out, _ := run("", "-lang", "zh", "testdata/cases/crlf.yaml")
	golden(t, "testdata/cases/crlf.zh.out", out)
}

// A file cannot move the cursor of whoever looks at its findings, or turn the text around.
func TestTerminalIsSafe(t *testing.T) {
	for _, text := range []string{"- key: a\x1b[2J\n", "- key: \"\\e[2J\"\n", "- key: \"\u202e\"\n", "- \"\u202ekey\": \"\u009b\"\n", "- key: a\x7f\n"} {
		for _, format := range []string{"text", "github"} {
			_, out, errs := run(text, "-format", format, "-")
			if format == "text" && strings.ContainsAny(out+errs, "\x1b\x7f\u009b\u202e") {
				t.Errorf("%q: got %q", text, out)
			}
			if strings.ContainsAny(out, "\x1b\x7f") || out == "" {
				t.Errorf("%q, %s: got %q", text, format, out)
			}
		}
	}
}
