// Package docs_test holds the documents against the code: what they say is compiled, compared and, where it is a program, run.
// What they say of the server is tested in its own module.
package docs_test

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
)

const serverModule = "github.com/jkstack/jkframe/v2/server"

// documents are the pages that users read, from this folder.
func documents(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("*.md")
	if err != nil || len(all) < 5 {
		t.Fatalf("documents: %q, %v", all, err)
	}
	return append(all, "../README.md", "../README.zh.md", "../CHANGELOG.md", "../SECURITY.md", "../contrib/README.md")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// programs returns the Go code of a document; each block is a whole program.
func programs(t *testing.T, file string) []doccheck.Block {
	t.Helper()
	var all []doccheck.Block
	for _, b := range doccheck.Blocks(read(t, file)) {
		if b.Lang == "go" {
			all = append(all, b)
		}
	}
	return all
}

// A reader copies code from a page: it is formatted and compiles as it stands there.
func TestCodeCompiles(t *testing.T) {
	count := 0
	for _, file := range documents(t) {
		for _, b := range programs(t, file) {
			count++
			if formatted, err := format.Source([]byte(b.Text)); err != nil || string(formatted) != b.Text {
				t.Errorf("%s:%d: not as gofmt writes it (%v)", file, b.Line, err)
			}
			if strings.Contains(b.Text, serverModule) {
				continue // see the server's module
			}
			if strings.Contains(b.Text, "*testing.T") {
				continue // see TestGuidesTest
			}
			build(t, b.Text)
		}
	}
	if count < 5 {
		t.Errorf("only %d programs found", count)
	}
}

// build compiles a program with this module.
func build(t *testing.T, code string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "program.exe")
	if err := doccheck.Build(t.Context(), ".", code, binary); err != nil {
		t.Errorf("%v\n%s", err, code)
	}
	return binary
}

// The page promises an agent in 30 lines.
func TestThirtyLines(t *testing.T) {
	for _, file := range []string{"../README.md", "../README.zh.md"} {
		all := programs(t, file)
		if len(all) != 1 {
			t.Fatalf("%s: %d programs", file, len(all))
		}
		if n := strings.Count(all[0].Text, "\n"); n > 30 {
			t.Errorf("%s:%d: the agent has %d lines", file, all[0].Line, n)
		}
	}
}

// Readers of either language are shown the same code and the same commands.
func TestLanguagesAgree(t *testing.T) {
	code := func(file string) (all []string) {
		for _, b := range doccheck.Blocks(read(t, file)) {
			if b.Lang != "mermaid" {
				all = append(all, regexp.MustCompile(`  #.*`).ReplaceAllString(b.Text, ""))
			}
		}
		return all
	}
	en, zh := code("../README.md"), code("../README.zh.md")
	if len(en) < 4 || strings.Join(en, "\x00") != strings.Join(zh, "\x00") {
		t.Errorf("README.md:    %q\nREADME.zh.md: %q", en, zh)
	}
	// Tables have as many rows, and links lead to the same places.
	shape := func(file string) (all []string) {
		for _, table := range doccheck.Tables(read(t, file)) {
			all = append(all, strconv.Itoa(len(table.Rows))+" rows")
		}
		_, body, _ := strings.Cut(read(t, file), "\n```")
		for _, m := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(body, -1) {
			all = append(all, m[1])
		}
		return all
	}
	if en, zh := shape("../README.md"), shape("../README.zh.md"); len(en) < 20 || !slices.Equal(en, zh) {
		t.Errorf("README.md:    %q\nREADME.zh.md: %q", en, zh)
	}
}

// The guide promises an agent in 60 lines, and shows its test: that passes.
func TestGuidesTest(t *testing.T) {
	var agent, test string
	for _, b := range programs(t, "writing-an-agent.md") {
		switch {
		case strings.Contains(b.Text, "*testing.T"):
			test = b.Text
		case strings.Contains(b.Text, "// Command disk-agent "):
			agent = b.Text
		}
	}
	if n := strings.Count(agent, "\n"); n == 0 || n > 60 {
		t.Errorf("the agent has %d lines", n)
	}
	binary := filepath.Join(t.TempDir(), "program.test.exe")
	if err := doccheck.BuildTest(t.Context(), ".", agent, test, binary); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-test.v")
	cmd.Dir = t.TempDir()
	said, err := cmd.CombinedOutput()
	if passed := strings.Count(string(said), "--- PASS"); err != nil || passed != 2 {
		t.Errorf("%d tests passed, %v\n%s", passed, err, said)
	}
}

// The program without a server ends as it says.
func TestShownTestRuns(t *testing.T) {
	for _, b := range programs(t, "writing-an-agent.md") {
		if !strings.Contains(b.Text, "tested-agent") {
			continue
		}
		said, err := exec.CommandContext(t.Context(), build(t, b.Text)).CombinedOutput()
		if err != nil || string(said) != "ended: <nil>\n" {
			t.Errorf("said %q, %v", said, err)
		}
		return
	}
	t.Error("no such program")
}

// No link of the documents leads nowhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)]*)\)`)
	code := regexp.MustCompile("(?s)\n```.*?\n```\n")
	count := 0
	for _, file := range documents(t) {
		text := code.ReplaceAllString(read(t, file), "\n")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			count++
			path := file
			if target != "" {
				path = filepath.Join(filepath.Dir(file), filepath.FromSlash(target))
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: link %q: %v", file, m[1], err)
				continue
			}
			if anchor != "" && !strings.Contains(anchors(read(t, path)), "\n"+anchor+"\n") {
				t.Errorf("%s: link %q: no such heading", file, m[1])
			}
		}
	}
	if count < 20 {
		t.Errorf("only %d links found", count)
	}
}

// anchors returns what the headings of a document can be linked by, one a line.
func anchors(doc string) string {
	var all strings.Builder
	all.WriteString("\n")
	for line := range strings.SplitSeq(doc, "\n") {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		text := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		text = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(text, "")
		all.WriteString(strings.ReplaceAll(text, " ", "-") + "\n")
	}
	return all.String()
}
