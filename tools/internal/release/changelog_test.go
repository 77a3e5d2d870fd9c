package release_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/tools/internal/release"
)

func ExampleLatest() {
	section, err := release.Latest("# Changelog\n\n## v2.0.0 - 2026-01-02\n\n- The first.\n")
	fmt.Println(section.Version, section.Notes, err)
	// Output: 2.0.0 - The first. <nil>
}

// The text of a release is what stands under its version, no more and no less.
func TestFind(t *testing.T) {
	const changelog = "# Changelog\r\n\r\n## Unreleased\r\n- Not yet.\r\n\r\n## v1.1.0\r\n\r\n### a\r\n- One.\r\n\r\n## [v1.0.0] - 2026-01-01\r\n## 0.9.0\r\n- Old."
	for version, want := range map[string]string{
		"v1.1.0": "### a\n- One.",
		"1.0.0":  "",
		"v0.9.0": "- Old.",
	} {
		got, err := release.Find(changelog, version)
		if err != nil || got.Notes != want || got.Version != strings.TrimPrefix(version, "v") {
			t.Errorf("%s: %+v, %v, want notes %q", version, got, err, want)
		}
	}
	for _, version := range []string{"", "v", "1.1", "Unreleased", "v1.1.0 "} {
		if got, err := release.Find(changelog, version); !errors.Is(err, release.ErrNoVersion) {
			t.Errorf("%q: %+v, %v", version, got, err)
		}
	}
	if _, err := release.Latest("# Changelog\n\n## Soon\n"); !errors.Is(err, release.ErrNoVersion) {
		t.Errorf("a changelog without versions: %v", err)
	}
}

// A changelog put together from any sections gives each of them back.
func FuzzFind(f *testing.F) {
	f.Add("1.0.0", "- text", "other")
	f.Add("2.0.0-rc.1", "### a\n\n- b", "\n\n")
	f.Fuzz(func(t *testing.T, version, notes, before string) {
		notes, before = strings.ReplaceAll(notes, "\r", ""), strings.ReplaceAll(before, "\r", "")
		changelog := before + "\n## v" + version + "\n" + notes + "\n## v0.0.0-last\nend\n"
		if strings.Contains("\n"+before+"\n"+notes, "\n## ") || strings.ContainsAny(version, "\r\n") {
			t.Skip()
		}
		latest, err := release.Latest(changelog)
		if err != nil {
			t.Fatalf("the last section is gone: %v", err)
		}
		if latest.Version == "0.0.0-last" {
			return // the fuzzed text is no version
		}
		found, err := release.Find(changelog, latest.Version)
		if err != nil || found != latest {
			t.Fatalf("found %+v (%v), want %+v", found, err, latest)
		}
		var lines []string
		for line := range strings.SplitSeq(notes, "\n") {
			lines = append(lines, strings.TrimRight(line, " \t"))
		}
		if want := strings.Trim(strings.Join(lines, "\n"), "\n"); found.Notes != want {
			t.Fatalf("notes %q, want %q", found.Notes, want)
		}
	})
}
