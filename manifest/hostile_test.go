package manifest_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
)

// bomb is the "billion laughs": ten aliases of ten aliases, nine times.
func bomb() string {
	var b strings.Builder
	b.WriteString("- x-0: &a0 [ lol, lol, lol, lol, lol, lol, lol, lol, lol, lol ]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "- x-%d: &a%d [ %s ]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

// mergeBomb doubles with each merge key.
func mergeBomb() string {
	var b strings.Builder
	b.WriteString("- &a0 { x-a: 1 }\n")
	for i := 1; i < 64; i++ {
		fmt.Fprintf(&b, "- &a%d { <<: [ *a%d, *a%d ] }\n", i, i-1, i-1)
	}
	return b.String()
}

const manifestItem = "- key: a%d\n  type: string\n  name: { zh: N }\n  desc: { zh: D }\n  required: false\n"

func items(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, manifestItem, i)
	}
	return b.String()
}

// fill repeats text up to the size that a manifest may have.
func fill(text string) string { return strings.Repeat(text, manifest.MaxBytes/len(text)) }

// Whatever somebody puts into a manifest, the tool that checks it in a build answers with less than a hundred megabytes, those
// that it gives back included, and never says that it is fine.
func TestHostileFiles(t *testing.T) {
	fields := func(value string) string {
		return "- key: a\n  type: string\n  name: { zh: N }\n  desc: { zh: D }\n  required: false\n  " + value
	}
	var unlike strings.Builder
	for i := range 8000 {
		fmt.Fprintf(&unlike, "- key: a%d\n  type: int\n  name: { zh: N }\n  desc: { zh: D }\n  required: false\n  enabled: { when: { target: b%d, equal: true } }\n", i, i)
	}
	var patterns strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&patterns, "- { key: a%d, type: string, name: { zh: N }, desc: { zh: D }, str_valid: '(x{900}){1}%d' }\n", i, i)
	}
	for _, tt := range []struct {
		name, text string
		rule       manifest.ID
	}{
		{"bomb", bomb(), "ML014"},
		{"merge bomb", mergeBomb(), "ML014"},
		{"cycle", "- &a [ *a ]\n", "ML014"},
		{"cycle through a merge key", "- &a { <<: *a, key: x }\n", "ML014"},
		{"cycle of the whole file", "&a\n- *a\n", "ML014"},
		{"too many bytes", strings.Repeat("#", manifest.MaxBytes+1), "ML014"},
		{"too many items", items(manifest.MaxItems + 1), "ML014"},
		{"too many empty items", fill("-\n"), "ML014"},
		{"too many members", "- x-a: [" + fill("a,")[:manifest.MaxBytes-100] + "]", "ML014"},
		{"too many names", "- x-a: {" + fill("a,")[:manifest.MaxBytes-100] + "}", "ML014"},
		{"NUL", "- key: a\x00\n", "ML001"},
		{"NUL alone", fill("\x00"), "ML001"},
		{"deep brackets", fill("["), "ML014"},
		{"brackets", strings.Repeat("[", 20_000), "ML001"},
		{"deep dashes", strings.Repeat("- ", 20_000), "ML001"},
		{"open quote", fields(`default: "` + fill("a ")[:900_000]), "ML001"},
		{"open quote over lines", fields(`default: "` + fill("aaaaaaa\n")[:900_000]), "ML001"},
		{"comments", fill("#\n"), "ML014"},
		{"long comments", fill("# aaaaaaaaaaaaaaaa\n"), "ML004"},
		{"blanks", fill(" "), "ML004"},
		{"long lines of one character", fill("é"), "ML006"},
		{"fields given twice", "- {" + fill("a: 1, ")[:300_000] + "}", "ML008"},
		{"fields not known", "- {" + manyFields(30_000) + "}", "ML106"},
		{"long key", "- key: " + strings.Repeat("a.", 500_000), "ML109"},
		{"long number", fields("default: " + strings.Repeat("9", 1_000_000)), "ML201"},
		{"long regular expression", fields("str_valid: " + strings.Repeat("(a|b)*", 100_000)), "ML308"},
		{"many regular expressions", patterns.String(), "ML308"},
		{"unknown targets", unlike.String(), "ML403"},
		{"members that are no members", "- { key: a, type: csv, name: { zh: N }, desc: { zh: D }, required: false, csv_valid: [" + numbered("a", 30_000) + "], default: [" + numbered("b", 30_000) + "] }", "ML203"},
		{"UTF-16", "\xff\xfe-\x00 \x00a\x00", "ML002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := []byte(tt.text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			result := manifest.Check(data, nil)
			runtime.ReadMemStats(&after)
			if result.Worst() < manifest.Error {
				t.Error("there is no error")
			}
			if !slices.ContainsFunc(result.Findings, func(f manifest.Finding) bool { return f.Rule == tt.rule }) {
				t.Errorf("no %s among %d findings, the first: %s", tt.rule, len(result.Findings), result.Findings[0].String())
			}
			// Each byte that is allocated takes its time: what is bounded here is quick as well.
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 100<<20 {
				t.Errorf("%d MB were allocated", allocated>>20)
			}
		})
	}
}

func manyFields(n int) string { return numbered("field", n) }

func numbered(prefix string, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return strings.Join(names, ", ")
}

// Thousands of keys that nobody knows, each like thousands that there are, are no work for minutes: what was meant is looked for in
// few cases, and the others are found nevertheless.
func TestManyUnknownKeys(t *testing.T) {
	const n = 3000
	long := strings.Repeat("a", 70)
	var text, conf strings.Builder
	values := make(map[string]any, n)
	for i := range n {
		fmt.Fprintf(&text, manifestItem[:len("- key: ")]+long+manifestItem[len("- key: "):], i)
		fmt.Fprintf(&conf, "%sb%d = 1\n", long, i)
		values[fmt.Sprint(long, "b", i)] = "x"
	}
	m, err := manifest.Load([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	unknown := len(m.Evaluate(values).Violations)
	found := len(m.ParseConf([]byte(conf.String()), nil).Findings)
	runtime.ReadMemStats(&after)
	if unknown != n || found != n {
		t.Errorf("%d unknown values and %d unknown settings, want %d", unknown, found, n)
	}
	// As above, what is allocated stands for the time.
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 100<<20 {
		t.Errorf("%d MB were allocated", allocated>>20)
	}
}

// The largest manifest that is allowed is checked as any other.
func TestLargestManifest(t *testing.T) {
	result := manifest.Check([]byte(items(manifest.MaxItems)), nil)
	if len(result.Findings) > 0 || len(result.Manifest.Items) != manifest.MaxItems {
		t.Errorf("%d items, %d findings", len(result.Manifest.Items), len(result.Findings))
	}
}

// A file that breaks a rule tens of thousands of times does not fill the memory with findings, and says how many more there are.
func TestFindingsAreBounded(t *testing.T) {
	result := manifest.Check([]byte("- {"+manyFields(30_000)+"}"), nil)
	if len(result.Findings) > manifest.MaxFindings || result.More < 25_000 || result.Worst() != manifest.Error {
		t.Errorf("%d findings and %d more", len(result.Findings), result.More)
	}
}

// Comments cost no more than the rest of the file, however many there are.
func TestManyIgnoreComments(t *testing.T) {
	text := "- key: a\n" + strings.Repeat("  # manifest-lint ignore=ML111,ML101\n", 20_000) + "  type: int\n"
	result := manifest.Check([]byte(text), nil)
	if len(result.Findings) != 1000*2+3 {
		t.Errorf("%d findings", len(result.Findings))
	}
}
