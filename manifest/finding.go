package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says how much a finding matters.
type Severity int

// The severities. Off is that of a rule which reports only after it was enabled; no finding has it.
const (
	Off Severity = iota
	Info
	Warning
	Error
)

// severityNames are the words of the severities, in their order.
func severityNames() []string { return []string{"off", "info", "warning", "error"} }

// String gives off, info, warning or error.
func (s Severity) String() string {
	if names := severityNames(); s >= 0 && int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// MarshalText gives the word of s.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word of a severity.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severityNames() {
		if name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("unknown severity %q, want %s", text, strings.Join(severityNames(), ", "))
}

// Text is a text in English and Chinese.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// In gives the text in Chinese for zh and its variants, else in English.
func (t Text) In(lang string) string {
	if lang == "zh" || strings.HasPrefix(lang, "zh-") || strings.HasPrefix(lang, "zh_") {
		return t.ZH
	}
	return t.EN
}

// both formats an English and a Chinese text with the same arguments; those of type Text appear in the language of each.
func both(en, zh string, args ...any) Text {
	argsZH := slices.Clone(args)
	for i, a := range args {
		if t, ok := a.(Text); ok {
			args[i], argsZH[i] = t.EN, t.ZH
		}
	}
	return Text{fmt.Sprintf(en, args...), fmt.Sprintf(zh, argsZH...)}
}

// A Finding is one thing to mend, at one place of a file.
type Finding struct {
	Rule     ID
	Severity Severity

	// Line and Column are where it is: from 1, columns in characters. A byte order mark is no character. EndLine and
	// EndColumn are just behind the text that is meant, where that is known; else they are the place itself.
	Line, Column       int
	EndLine, EndColumn int

	Message Text
	Key     string // the key of the setting, or empty
	Fix     *Fix   // nil when there is none that is safe

	// Conf tells a place in the configuration file from one in the manifest.
	Conf bool
}

// A Fix mends a finding without changing what the file means to its readers, as far as they agree.
type Fix struct {
	Title Text
	Edits []Edit // in the order of the text, not overlapping
}

// An Edit replaces the bytes from Start to End, which are offsets into the file, a byte order mark included.
type Edit struct {
	Start, End int
	Text       string
}

// Slug gives the name of the finding's rule, such as default-range.
func (f *Finding) Slug() string {
	rule, _ := LookupRule(string(f.Rule))
	return rule.Slug
}

// String gives the finding in one line: 9:12: error: 0 is below the minimum 1 [ML204 default-range].
func (f *Finding) String() string {
	return fmt.Sprintf("%d:%d: %s: %s [%s %s]", f.Line, f.Column, f.Severity, f.Message.EN, f.Rule, f.Slug())
}

// Problems is every error of a manifest, as an error of Go.
type Problems []Finding

// Error gives one line for each finding.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}
