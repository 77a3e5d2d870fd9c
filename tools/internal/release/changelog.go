package release

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrNoVersion says that a changelog has no heading with the version that was looked for.
var ErrNoVersion = errors.New("no such version")

// Section is what a changelog says of one version.
type Section struct {
	Version string // as Semantic Versioning has it, without the leading v: 2.0.0-alpha.1
	Notes   string // the text below the heading, without blank lines around it
}

// number is a version as Semantic Versioning writes it, after an optional v.
const number = `v?([0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)`

var (
	// heading matches "## v2.0.0", "## 2.0.0-alpha.1" and "## [v2.0.0] - 2026-01-02".
	heading = regexp.MustCompile(`^## \[?` + number + `\]?(?:\s.*)?$`)
	version = regexp.MustCompile(`^` + number + `$`)
)

// Latest returns the topmost version of a changelog.
func Latest(changelog string) (Section, error) {
	all := sections(changelog)
	if len(all) == 0 {
		return Section{}, fmt.Errorf("changelog: %w: want a heading such as ## v1.2.3", ErrNoVersion)
	}
	return all[0], nil
}

// Find returns the section of one version, given with or without its v.
func Find(changelog, version string) (Section, error) {
	version = strings.TrimPrefix(version, "v")
	for _, s := range sections(changelog) {
		if s.Version == version {
			return s, nil
		}
	}
	return Section{}, fmt.Errorf("changelog: %w: %q", ErrNoVersion, version)
}

// sections splits a changelog at its headings of the second level. A heading without a version ends a section and starts none.
func sections(changelog string) []Section {
	var (
		all  []Section
		text []string
		open bool
	)
	end := func() {
		if open {
			all[len(all)-1].Notes = strings.Trim(strings.Join(text, "\n"), "\n")
		}
		text, open = nil, false
	}
	for line := range strings.Lines(changelog) {
		line = strings.TrimRight(line, " \t\r\n")
		if !strings.HasPrefix(line, "## ") {
			text = append(text, line)
			continue
		}
		end()
		if m := heading.FindStringSubmatch(line); m != nil {
			all, open = append(all, Section{Version: m[1]}), true
		}
	}
	end()
	return all
}
