package lint

import (
	"embed"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/jkstack/jkframe/v2/manifest"
)

// The texts of docs/manifest-rules.md, a file for each group of rules.
//
//go:embed rules/*.md
var ruleTexts embed.FS

// listRules writes a line for each rule.
func (c Command) listRules(lang string) error {
	w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range manifest.Rules() {
		severity := r.Severity.String()
		if r.Off {
			severity = "off/" + severity
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, severity, r.Slug, r.Summary.In(lang))
	}
	return w.Flush()
}

// explain writes what docs/manifest-rules.md says of a rule.
func (c Command) explain(name, lang string) error {
	rule, ok := manifest.LookupRule(name)
	if !ok {
		return usageError{fmt.Errorf("-explain: there is no rule %q; -rules lists them", name)}
	}
	text, err := ruleText(rule)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "%s %s (%s): %s\n\n%s", rule.ID, rule.Slug, rule.Severity, rule.Summary.In(lang), inLanguage(text, lang))
	return err
}

// ruleText gives the section of a rule, without its heading.
func ruleText(rule manifest.Rule) (string, error) {
	text, err := ruleTexts.ReadFile("rules/" + string(rule.ID[:3]) + ".md")
	if err != nil {
		return "", err
	}
	_, section, ok := strings.Cut(string(text), "\n## "+string(rule.ID)+" "+rule.Slug+"\n\n")
	if !ok {
		return "", fmt.Errorf("rule %s has no text", rule.ID)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return strings.TrimSpace(section) + "\n", nil
}

// inLanguage takes the other language out of a section: first comes the English text, then the Chinese one as a quotation,
// then the examples.
func inLanguage(section, lang string) string {
	english, rest, _ := strings.Cut(section, "\n\n> ")
	chinese, examples, _ := strings.Cut(rest, "\n\n")
	return manifest.Text{EN: english, ZH: chinese}.In(lang) + "\n\n" + examples
}
