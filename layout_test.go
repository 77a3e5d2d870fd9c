// Package jkframe_test holds the rules that no compiler checks: which package may know which, and what each must have.
package jkframe_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
)

const module = "github.com/jkstack/jkframe/v2"

// arrows says what each package of the project may import of the project. Those with an empty list know none of the others,
// so that each is worth importing alone. A folder that is not listed follows the nearest one above it, and is a part of it:
// libagent/internal/x is libagent.
func arrows() map[string][]string {
	all := map[string][]string{
		"wire":               {},
		"wire/conn":          {"wire"},
		"wire/block":         {"wire"},
		"kvconf":             {},
		"logging":            {},
		"l2cache":            {},
		"limit":              {},
		"manifest":           {"kvconf"},
		"process":            {"limit"},
		"policy":             {"kvconf"},
		"hostfile":           {},
		"hostmetrics":        {},
		"internal/unit":      {},
		"internal/daemon":    {"internal/unit"},
		"internal/build":     {},
		"internal/freeport":  {},
		"libagent":           {"internal/build", "internal/daemon", "wire", "wire/conn", "wire/block", "kvconf", "logging", "l2cache", "limit", "manifest"},
		"libagent/remote":    {"libagent", "wire", "wire/block", "policy", "process", "hostfile", "l2cache", "limit"},
		"libagent/agenttest": {"libagent", "wire", "wire/conn"},
	}
	libraries := slices.Sorted(maps.Keys(all))
	all["internal"] = libraries // what serves tests of others
	all["examples"] = libraries
	all["tools"] = libraries
	// The server never knows the SDK: what an agent needs must not become the server's.
	all["server"] = []string{"internal/build", "internal/daemon", "wire", "wire/conn", "wire/block", "kvconf", "logging", "l2cache"}
	all["bench"] = append(slices.Clone(libraries), "server")
	return all
}

// standardOnly tells the packages that bring no dependency with them.
func standardOnly(house string) bool { return house == "wire" || house == "kvconf" }

// source is a package of the project as its files say.
type source struct {
	dir     string   // from the root, with slashes
	name    string   // main, or else
	imports []string // without those of its tests
	files   []string
}

// packages reads every package of every module in the tree, for all systems at once: build tags are not looked at.
func packages(t *testing.T) []source {
	t.Helper()
	byDir := make(map[string]*source)
	err := fs.WalkDir(os.DirFS("."), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); file != "." && (name == "testdata" || strings.HasPrefix(name, ".") || name == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		p := byDir[path.Dir(file)]
		if p == nil {
			p = &source{dir: path.Dir(file)}
			byDir[p.dir] = p
		}
		p.name = parsed.Name.Name
		p.files = append(p.files, path.Base(file))
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			p.imports = append(p.imports, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		all = append(all, *byDir[dir])
	}
	return all
}

// house returns the entry of the rules that a folder follows, "" when there is none.
func house(rules map[string][]string, dir string) string {
	for name := dir; name != "."; name = path.Dir(name) {
		if _, ok := rules[name]; ok {
			return name
		}
	}
	return ""
}

func within(dir, house string) bool { return dir == house || strings.HasPrefix(dir, house+"/") }

// Whoever imports one package gets what it needs and no more: arrows point one way.
func TestArrowsPointOneWay(t *testing.T) {
	all, rules := packages(t), arrows()
	for _, p := range all {
		home := house(rules, p.dir)
		if home == "" {
			t.Errorf("%s: say in arrows what it may import", p.dir)
			continue
		}
		for _, name := range p.imports {
			dir, ours := strings.CutPrefix(name, module+"/")
			first, _, _ := strings.Cut(name, "/")
			switch {
			case ours:
				to := house(rules, dir)
				if to != home && !slices.Contains(rules[home], to) {
					t.Errorf("%s imports %s: %s may import %q", p.dir, dir, home, rules[home])
				}
			case strings.Contains(first, ".") && standardOnly(home):
				t.Errorf("%s imports %s: %s stands on the standard library only", p.dir, name, home)
			}
		}
	}
	// A rule for what is gone or misspelt holds nothing: these exist.
	for name := range rules {
		if !slices.ContainsFunc(all, func(p source) bool { return within(p.dir, name) }) {
			t.Errorf("%s: no such package", name)
		}
	}
}

// What a newcomer reads of the packages is what they import, no arrow more and none less.
func TestArchitecturePageShowsTheArrows(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string][]string)
	all, rules := packages(t), arrows()
	for _, p := range all {
		home := house(rules, p.dir)
		for _, name := range p.imports {
			dir, ours := strings.CutPrefix(name, module+"/")
			if to := house(rules, dir); ours && to != home && !strings.HasPrefix(to, "internal/") && !slices.Contains(used[home], to) {
				used[home] = append(used[home], to)
			}
		}
	}
	quoted := regexp.MustCompile("`([^`]*)`")
	shown := make(map[string]bool)
	for _, row := range doccheck.Tables(string(page))[0].Rows {
		name := quoted.FindStringSubmatch(row[0])[1]
		shown[name] = true
		var says []string
		for _, m := range quoted.FindAllStringSubmatch(row[2], -1) {
			says = append(says, m[1])
		}
		slices.Sort(says)
		slices.Sort(used[name])
		if !slices.Equal(says, used[name]) {
			t.Errorf("docs/architecture.md: %s stands on %q, it says %q", name, used[name], says)
		}
		if (row[2] == "the standard library") != standardOnly(name) {
			t.Errorf("docs/architecture.md: %s stands on %q", name, row[2])
		}
	}
	for name := range rules {
		if !shown[name] && !strings.HasPrefix(name, "internal") && !slices.Contains([]string{"examples", "tools", "bench"}, name) {
			t.Errorf("docs/architecture.md does not have %s", name)
		}
	}
}

// The table itself has no way back: nothing reaches itself.
func TestArrowsHaveNoCycle(t *testing.T) {
	rules := arrows()
	var walk func(from string, seen []string)
	walk = func(from string, seen []string) {
		if slices.Contains(seen, from) {
			t.Fatalf("cycle: %q", append(seen, from))
		}
		for _, to := range rules[from] {
			walk(to, append(slices.Clone(seen), from))
		}
	}
	for name := range rules {
		walk(name, nil)
	}
}

// A newcomer finds in doc.go what a package is for; a command says it above its main.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		file, word := "doc.go", "// Package "+p.name+" "
		if p.name == "main" {
			file, word = "main.go", "// Command "+path.Base(p.dir)+" "
		}
		text, err := os.ReadFile(filepath.Join(filepath.FromSlash(p.dir), file))
		if err != nil {
			t.Errorf("%s: %v", p.dir, err)
			continue
		}
		if !bytes.Contains(text, []byte(word)) {
			t.Errorf("%s/%s does not begin its text with %q", p.dir, file, word)
		}
	}
}

// Beside the words a newcomer finds code that runs, for every package that others can import.
func TestEveryPackageHasAnExample(t *testing.T) {
	for _, p := range packages(t) {
		onlyTests := p.dir == "server/doctest" || p.dir == "server/e2e"
		if p.name == "main" || within(p.dir, "bench") || slices.Contains(strings.Split(p.dir, "/"), "internal") || onlyTests {
			continue
		}
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(p.dir), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && bytes.Contains(text, []byte("\nfunc Example"))
		}) {
			t.Errorf("%s has no example", p.dir)
		}
	}
}

// Strangers copy an example: each has the same four files, and what its author wrote is short.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("examples/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("examples: %v, %v", dirs, err)
	}
	for _, dir := range dirs {
		for _, file := range []string{"main.go", "app.go", "conf/agent.conf", "conf/manifest.yaml"} {
			if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
				t.Error(err)
			}
		}
	}
	for agent, most := range map[string]int{"example-agent": 60, "metrics-agent": 400, "exec-agent": 500} {
		if lines := written(t, agent); lines == 0 || lines >= most {
			t.Errorf("%s: %d lines of Go, want fewer than %d", agent, lines, most)
		}
	}
}

// written is how many lines of Go the author of an example wrote.
func written(t *testing.T, agent string) (lines int) {
	t.Helper()
	files, err := filepath.Glob("examples/" + agent + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") {
			lines += bytes.Count(text, []byte("\n"))
		}
	}
	return lines
}

// The modules can be used with the two newest releases of Go.
func TestGoVersion(t *testing.T) {
	line := regexp.MustCompile(`(?m)^go (.*)$`)
	for _, file := range []string{"go.mod", "server/go.mod", "bench/go.mod", "go.work"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if m := line.FindSubmatch(text); m == nil || string(m[1]) != "1.25.0" {
			t.Errorf("%s: %q, want go 1.25.0", file, m)
		}
	}
}
