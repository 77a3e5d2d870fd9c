package manifest_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
)

// mend makes fixes until there are none.
func mend(t *testing.T, data []byte) (fixed []byte, result *manifest.Result) {
	t.Helper()
	for range 10 {
		result = manifest.Check(data, nil)
		fixed, n := manifest.ApplyFixes(data, result.Findings)
		if n == 0 {
			if !bytes.Equal(fixed, data) {
				t.Errorf("no fix was made, and %q became %q", data, fixed)
			}
			return data, result
		}
		data = fixed
	}
	t.Fatalf("there is no end of fixes for %q", data)
	return nil, nil
}

// A fix takes its finding away, brings no other rule with it, and leaves the rest of the file alone.
func TestFixes(t *testing.T) {
	for _, tt := range []struct{ name, from, to string }{
		{"a byte order mark", "\ufeff- { key: a, type: int, name: { zh: N }, desc: { zh: D }, required: false }\n", "- { key: a, type: int, name: { zh: N }, desc: { zh: D }, required: false }\n"},
		{"a text for a list", "- { key: a, type: csv, name: { zh: 名 }, desc: { zh: D }, required: false, default: 'x,y' } # c\n", "- { key: a, type: csv, name: { zh: 名 }, desc: { zh: D }, required: false, default: [ x, y ] } # c\n"},
		{"members that need quotes", "- { key: a, type: csv, name: { zh: N }, desc: { zh: D }, required: false, default: 'yes,1,a: b' }\n", "- { key: a, type: csv, name: { zh: N }, desc: { zh: D }, required: false, default: [ \"yes\", \"1\", \"a: b\" ] }\n"},
		{"words for bools", "- { key: a, type: bool, name: { zh: N }, desc: { zh: D }, required: No, default: on }\n", "- { key: a, type: bool, name: { zh: N }, desc: { zh: D }, required: false, default: true }\n"},
		{"quotes around a bool", "- { key: a, type: bool, name: { zh: N }, desc: { zh: D }, required: 'True', default: \"false\" }\n", "- { key: a, type: bool, name: { zh: N }, desc: { zh: D }, required: true, default: false }\n"},
		{"no quotes around a text", "- { key: a, type: string, name: { zh: N }, desc: { zh: D }, required: false, default: 010 }\n", "- { key: a, type: string, name: { zh: N }, desc: { zh: D }, required: false, default: \"010\" }\n"},
		{"days", "- { key: a, type: duration, name: { zh: N }, desc: { zh: D }, required: false, default: 2d }\n", "- { key: a, type: duration, name: { zh: N }, desc: { zh: D }, required: false, default: 48h }\n"},
		{"slips", "- key: a\r\n  typ: String\r\n  name: { zh: N }\r\n  desc: { zh: D }\r\n  requird: false\r\n", "- key: a\r\n  type: string\r\n  name: { zh: N }\r\n  desc: { zh: D }\r\n  required: false\r\n"},
		{"no word about required", "- type: string # t\r\n  key: a\r\n  name: { zh: N }\r\n  desc: { zh: D }\r\n", "- type: string # t\r\n  required: false\r\n  key: a\r\n  name: { zh: N }\r\n  desc: { zh: D }\r\n"},
		{"null", "- key: a\n  type: string\n  default:  ~ \n  name: { zh: N }\n  desc: { zh: D }\n  required: false\n", "- key: a\n  type: string\n  name: { zh: N }\n  desc: { zh: D }\n  required: false\n"},
		{"an anchor, which stays", "- { key: a, type: bool, name: { zh: N }, desc: { zh: D }, required: &x yes }\n", "- { key: a, type: bool, name: { zh: N }, desc: { zh: D }, required: &x yes }\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fixed, result := mend(t, []byte(tt.from))
			if string(fixed) != tt.to {
				t.Errorf("got\n%q, want\n%q", fixed, tt.to)
			}
			if tt.from != tt.to && len(result.Findings) > 0 {
				t.Errorf("what is mended has findings:\n%s", lines(result.Findings))
			}
		})
	}
}

// Whatever the file, mending it never makes it unreadable, and each fix takes a finding away. What is looked at only now, such
// as a default that was no text before, may have one of its own.
func TestFixesBreakNothing(t *testing.T) {
	n := 0
	for _, dir := range []string{"corpus/bad", "corpus/good", "../lint/testdata/cases"} {
		for name, data := range corpus(t, filepath.FromSlash(dir)) {
			before := manifest.Check(data, nil).Findings
			fixes := 0
			for _, f := range before {
				if f.Fix != nil {
					fixes++
				}
			}
			n += fixes
			_, result := mend(t, data)
			if fixes > 0 && (len(result.Findings) >= len(before) || result.Manifest == nil) {
				t.Errorf("%s: %d findings, before %d fixes there were %d", name, len(result.Findings), fixes, len(before))
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d fixes were tried", n)
	}
}
