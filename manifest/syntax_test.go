package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
)

// places gives findings as "ML204 9:12".
func places(found []manifest.Finding) string {
	all := make([]string, len(found))
	for i, f := range found {
		all[i] = fmt.Sprintf("%s %d:%d", f.Rule, f.Line, f.Column)
	}
	return strings.Join(all, ", ")
}

// Whoever made a slip in the YAML itself is sent to the line with the slip, not to the one where the parser gave up.
func TestSyntaxErrors(t *testing.T) {
	const head = "- key: a\n  type: string\n  name: { zh: N }\n  desc: { zh: D }\n" // four lines
	const rest = "  required: false\n- key: b\n  type: int\n  name: { zh: N }\n  desc: { zh: D }\n  required: true\n"
	for _, tt := range []struct{ name, text, want string }{
		{"open double quote", head + "  default: \"x\n" + rest, "ML001 5:3"},
		{"open single quote", head + "  default: 'x\n" + rest, "ML001 5:3"},
		{"open bracket", head + "  x-a: [ 1, 2\n" + rest, "ML001 5:3"},
		{"open brace", head + "  x-a: { b: 1\n" + rest, "ML001 5:3"},
		{"bracket closed by a brace", head + "  x-a: [ 1 }\n" + rest, "ML001 5:3"},
		{"no blank behind the colon", head + "  default:x\n" + rest, "ML001 5:3"},
		{"two colons", head + "  default: a: b\n" + rest, "ML001 5:3"},
		{"too much indentation", head + "    default: a\n" + rest, "ML001 5:5"},
		{"too little indentation", head + " default: a\n" + rest, "ML001 5:2"},
		{"no dash", head + "default: a\n" + rest, "ML001 5:1"},
		{"a reserved character", head + "  default: @x\n" + rest, "ML001 5:3"},
		{"a percent sign", head + "  default: %x\n" + rest, "ML001 5:3"},
		{"an unknown alias", head + "  default: *x\n" + rest, "ML001 5:3"},
		{"an unknown escape", head + "  default: \"\\q\"\n" + rest, "ML001 5:3"},
		{"text behind a quote", head + "  default: \"a\" b\n" + rest, "ML001 5:3"},
		{"a list within the line", head + "  default: - a\n" + rest, "ML001 5:3"},
		{"CRLF", strings.ReplaceAll(head+"  default: \"x\n"+rest, "\n", "\r\n"), "ML001 5:3"},
		{"behind a list over lines", "- x-a: [\n  1,\n\n  2 ]\n  b: [\n", "ML001 5:3"},
		{"tab", head + "\tdefault: x\n" + rest, "ML009 5:1"},
		{"tab behind blanks", head + "  \tdefault: x\n" + rest, "ML009 5:3"},
		{"tab behind a dash", head + "  required: false\n-\tkey: x\n", "ML009 6:2"},
		{"tab in a block", head + "  x-a: |\n\ttext\n" + rest, "ML009 6:1"},
		{"a NUL", head + "  default: a\x00b\n" + rest, "ML001 5:13"},
		{"an escape sequence", head + "  default: 名\x1b[31m\n" + rest, "ML001 5:13"},
		{"DEL", head + "  default: a\x7f\n" + rest, "ML001 5:13"},
		{"GBK", head + "  default: \xc3\xfb\n" + rest, "ML002 5:12"},
		{"GBK behind wide characters", head + "  default: 名称\xc3\xfb\n" + rest, "ML002 5:14"},
		{"a cut character", head + "  default: \xe5\x90", "ML002 5:12"},
		{"nothing", "", "ML004 1:1"},
		{"blanks", " \n\n", "ML004 1:1"},
		{"a marker alone", "---\n", "ML004 1:1"},
		{"a mark and nothing", "\ufeff", "ML003 1:1, ML004 1:1"},
		{"null", "# c\n--- ~\n", "ML006 2:5"},
		{"text", "text\n", "ML006 1:1"},
		{"a mapping", "key: a\n", "ML006 1:1"},
		{"a second document", head + "  required: false\n---\n" + head + "  required: false\n", "ML005 6:1"},
		{"a second document without marker", head + "  required: false\n...\n" + head, "ML005 7:1"},
		{"a second, empty document", head + "  required: false\n---\n", "ML005 6:1"},
		{"an empty first document", "---\n---\n" + head, "ML005 2:1"},
		{"a mark in front of the end", head + "  required: false\n...\n", ""},
		{"a directive", "%YAML 1.1\n---\n" + head + "  required: false\n", ""},
		{"tabs that are allowed", head + "  required:\tfalse\t# yes\n  default: \"a\n\t\tb\"\n", ""},
		{"a separator that only YAML has", head + "  required: false\n  category: \"a\u2028b\"\n  default: 5\n", "ML201 7:12"},
		{"a lone CR", strings.ReplaceAll(head, "\n", "\r") + "  required: false\r  default: 5\r", "ML201 6:12"},
		{"an empty list", "[]\n", "ML011 1:1"},
		{"a mark and wide characters", "\ufeff" + head + "  required: false\n  x: 名\n  default: 5\n", "ML003 1:1, ML106 6:3, ML201 7:12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			result := manifest.Check([]byte(tt.text), nil)
			if got := places(result.Findings); got != tt.want {
				t.Errorf("got %q, want %q\n%s", got, tt.want, lines(result.Findings))
			}
		})
	}
}

// A text that is too large for its parts to be tried still gives the line of the parser.
func TestSyntaxErrorOfLargeFile(t *testing.T) {
	text := items(5000) + "- key: [\n"
	result := manifest.Check([]byte(text), nil)
	if len(result.Findings) != 1 || result.Findings[0].Rule != "ML001" || result.Findings[0].Line < 25_000 {
		t.Errorf("got %s", places(result.Findings))
	}
}
