package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jkstack/jkframe/v2/manifest"
)

// flags are the flags of a check.
type flags struct {
	format, lang, color, failOn string
	outputs                     []string
	conf                        string
	strict, fix, diff, rules    bool
	enable, disable, severity   []string
	explain                     string
}

func (f *flags) add(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.format, "format", "text", "format of what goes to the standard output: "+strings.Join(formatNames(), ", "))
	set.StringArrayVarP(&f.outputs, "output", "o", nil, "write `FORMAT=FILE` as well; may be repeated")
	set.StringVar(&f.conf, "conf", "", "check the configuration `FILE` against the manifest")
	set.StringVar(&f.failOn, "fail-on", "error", "lowest severity that makes the exit code 1: error, warning, info, never")
	set.BoolVar(&f.strict, "strict", false, "the same as -fail-on warning")
	set.StringSliceVar(&f.enable, "enable", nil, "rules that are off by default, as ML113,ML413")
	set.StringSliceVar(&f.disable, "disable", nil, "rules that do not report")
	set.StringSliceVar(&f.severity, "severity", nil, "severities of rules, as ML208=error,ML217=off")
	set.BoolVar(&f.fix, "fix", false, "mend in the files what can be mended safely, and report the rest")
	set.BoolVar(&f.diff, "diff", false, "show what -fix would change, and change nothing")
	set.BoolVar(&f.rules, "rules", false, "list the rules")
	set.StringVar(&f.explain, "explain", "", "explain a `RULE`, as ML213 or csv-default-scalar")
	set.StringVar(&f.lang, "lang", "en", "language of messages: en, zh")
	set.StringVar(&f.color, "color", "auto", "colour the text: auto, always, never")
}

// settings is what the flags ask for.
type settings struct {
	options manifest.Options
	failOn  manifest.Severity // above Error: never
	lang    string
	color   bool
	outputs []output
}

// never is above every severity.
const never = manifest.Error + 1

func (c Command) settings(f *flags) (*settings, error) {
	s := &settings{lang: f.lang}
	if err := oneOf("-lang", f.lang, "en", "zh"); err != nil {
		return nil, err
	}
	if err := oneOf("-color", f.color, "auto", "always", "never"); err != nil {
		return nil, err
	}
	s.color = f.color == "always" || f.color == "auto" && c.Color
	if err := s.setFailOn(f); err != nil {
		return nil, err
	}
	if err := s.setRules(f); err != nil {
		return nil, err
	}
	return s, s.setOutputs(f)
}

func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return usageError{fmt.Errorf("%s %q: want %s", flag, value, strings.Join(allowed, ", "))}
}

func (s *settings) setFailOn(f *flags) error {
	if err := oneOf("-fail-on", f.failOn, "error", "warning", "info", "never"); err != nil {
		return err
	}
	s.failOn = never
	if f.failOn != "never" {
		if err := s.failOn.UnmarshalText([]byte(f.failOn)); err != nil {
			return usageError{err}
		}
	}
	if f.strict {
		s.failOn = min(s.failOn, manifest.Warning)
	}
	return nil
}

func (s *settings) setRules(f *flags) error {
	ids := func(flag string, names []string) ([]manifest.ID, error) {
		all := make([]manifest.ID, 0, len(names))
		for _, name := range names {
			rule, ok := manifest.LookupRule(strings.TrimSpace(name))
			if !ok {
				return nil, usageError{fmt.Errorf("%s: there is no rule %q; -rules lists them", flag, name)}
			}
			all = append(all, rule.ID)
		}
		return all, nil
	}
	var err error
	if s.options.Enable, err = ids("-enable", f.enable); err != nil {
		return err
	}
	if s.options.Disable, err = ids("-disable", f.disable); err != nil {
		return err
	}
	s.options.Severity = make(map[manifest.ID]manifest.Severity)
	for _, text := range f.severity {
		name, word, ok := strings.Cut(text, "=")
		rule, err := ids("-severity", []string{name})
		if err != nil {
			return err
		}
		var severity manifest.Severity
		if err := severity.UnmarshalText([]byte(word)); err != nil || !ok {
			return usageError{fmt.Errorf("-severity %q: want RULE=error, warning, info or off", text)}
		}
		s.options.Severity[rule[0]] = severity
	}
	return nil
}

func (s *settings) setOutputs(f *flags) error {
	if err := oneOf("-format", f.format, formatNames()...); err != nil {
		return err
	}
	s.outputs = []output{{format: f.format}}
	for _, text := range f.outputs {
		format, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return usageError{fmt.Errorf("-o %q: want FORMAT=FILE", text)}
		}
		if err := oneOf("-o", format, formatNames()...); err != nil {
			return err
		}
		s.outputs = append(s.outputs, output{format, file})
	}
	return nil
}
