package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
)

// docs is where people read the rules.
const docs = "../../docs/manifest-rules.md"

// The document that people read is what -explain shows, with a table of all rules in front.
func TestRulesDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(readFile(t, "rules/preface.md"))
	b.WriteString("\n| rule | name | severity | |\n|---|---|---|---|\n")
	for _, r := range manifest.Rules() {
		severity := r.Severity.String()
		if r.Off {
			severity += ", off"
		}
		fmt.Fprintf(&b, "| [%s](#%s-%s) | %s | %s | %s |\n", r.ID, strings.ToLower(string(r.ID)), r.Slug, r.Slug, severity, r.Summary.EN)
	}
	for _, group := range []string{"ML0", "ML1", "ML2", "ML3", "ML4", "ML5"} {
		b.WriteString("\n" + readFile(t, "rules/"+group+".md"))
	}
	golden(t, docs, b.String())
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// example is a block of the document.
type example struct {
	conf bool
	text string
}

// examples gives the bad and the good example of each rule, and the manifest that those of configuration files have.
func examples(t *testing.T) (bad, good map[string]example, forConf string) {
	t.Helper()
	bad, good = make(map[string]example), make(map[string]example)
	blocks := regexp.MustCompile("(?ms)^(?:## (ML[0-9]{3}) [^\n]*|(Bad|Good)[^\n]*:\n\n```([a-z ]+)\n(.*?)```|```yaml manifest\n(.*?)```)$")
	rule := ""
	for _, m := range blocks.FindAllStringSubmatch(readFile(t, docs), -1) {
		switch {
		case m[1] != "":
			rule = m[1]
		case m[5] != "":
			forConf = m[5]
		default:
			e := example{conf: m[3] == "ini", text: m[4]}
			if m[3] == "yaml escaped" {
				text, err := strconv.Unquote(`"` + strings.TrimSpace(m[4]) + `"`)
				if err != nil {
					t.Fatalf("%s: %v", rule, err)
				}
				e.text = text
			}
			if m[2] == "Bad" {
				bad[rule] = e
			} else {
				good[rule] = e
			}
		}
	}
	return bad, good, forConf
}

// findings checks an example of a rule, which may be off by default.
func (e example) findings(t *testing.T, rule manifest.ID, forConf string) []manifest.Finding {
	t.Helper()
	o := &manifest.Options{Enable: []manifest.ID{rule}}
	if !e.conf {
		return manifest.Check([]byte(e.text), o).Findings
	}
	m, err := manifest.Load([]byte(forConf))
	if err != nil {
		t.Fatal(err)
	}
	return m.ParseConf([]byte(e.text), o).Findings
}

// Whoever follows the document is told what it says: the bad example breaks its rule and no other, the good one breaks none.
func TestExamples(t *testing.T) {
	bad, good, forConf := examples(t)
	for _, r := range manifest.Rules() {
		t.Run(string(r.ID), func(t *testing.T) {
			b, ok := bad[string(r.ID)]
			g, okGood := good[string(r.ID)]
			if !ok || !okGood {
				t.Fatal("an example is missing")
			}
			found := b.findings(t, r.ID, forConf)
			if len(found) == 0 {
				t.Error("the bad example is fine")
			}
			for _, f := range found {
				if f.Rule != r.ID {
					t.Errorf("the bad example: %s", f.String())
				}
			}
			for _, f := range g.findings(t, r.ID, forConf) {
				t.Errorf("the good example: %s", f.String())
			}
		})
	}
}

// -explain has a text for each rule, in both languages.
func TestExplain(t *testing.T) {
	for _, r := range manifest.Rules() {
		for _, lang := range []string{"en", "zh"} {
			code, out, errs := run("", "-lang", lang, "-explain", string(r.ID))
			if code != 0 || errs != "" || !strings.Contains(out, r.Summary.In(lang)) || strings.Count(out, "```") < 4 {
				t.Errorf("%s %s: code %d, %s%s", r.ID, lang, code, out, errs)
			}
			if hasChinese := regexp.MustCompile(`\p{Han}`).MatchString(strings.SplitN(out, "```", 2)[0]); hasChinese != (lang == "zh") {
				t.Errorf("%s %s: the other language is shown:\n%s", r.ID, lang, out)
			}
		}
	}
}
