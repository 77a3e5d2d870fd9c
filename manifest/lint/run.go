package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/manifest"
)

// maxFixes is how often a file is mended and checked again: a fix may lie within another.
const maxFixes = 10

// report is what was found in one file.
type report struct {
	file     string
	line     func(n int) string
	findings []manifest.Finding
	more     int               // findings beyond those
	beyond   manifest.Severity // the highest severity of those
	readable bool              // as a manifest
}

// lint checks the files that the arguments name.
func (c Command) lint(f *flags, args []string) error {
	s, err := c.settings(f)
	if err != nil {
		return err
	}
	switch {
	case f.rules:
		return c.listRules(s.lang)
	case f.explain != "":
		return c.explain(f.explain, s.lang)
	}
	files, unreadable := inputs(args)
	if f.conf != "" && len(files) > 1 {
		return usageError{errors.New("-conf goes with one manifest")}
	}
	var reports []*report
	for _, in := range files {
		data, err := c.read(in)
		if err != nil {
			unreadable = errors.Join(unreadable, err)
			continue
		}
		r, err := c.check(s, f, in, data)
		if err != nil {
			unreadable = errors.Join(unreadable, err)
		}
		reports = append(reports, r...)
	}
	if err := c.write(s, f, reports); err != nil {
		return err
	}
	return c.exit(s, reports, unreadable)
}

// exit gives the exit code as an error. What could not be read is never clean.
func (c Command) exit(s *settings, reports []*report, unreadable error) error {
	if unreadable != nil {
		fmt.Fprintf(c.Stderr, "manifest-lint: %s\n", unreadable)
		return exitError(ExitUnreadable)
	}
	code := ExitClean
	for _, r := range reports {
		switch {
		case r.worst() >= s.failOn:
			return exitError(ExitFindings)
		case !r.readable:
			code = ExitUnreadable
		}
	}
	if code != ExitClean {
		return exitError(code)
	}
	return nil
}

func (r *report) worst() manifest.Severity {
	worst := r.beyond
	for i := range r.findings {
		worst = max(worst, r.findings[i].Severity)
	}
	return worst
}

// A subject is a file that is checked, mended and checked again.
type subject struct {
	in    input
	data  []byte
	check func(data []byte) *report
}

// check checks one manifest, and its configuration file when there is one, and mends them when that is asked for.
func (c Command) check(s *settings, f *flags, in input, data []byte) ([]*report, error) {
	var result *manifest.Result
	r, err := c.run(f, subject{in, data, func(data []byte) *report {
		doc := manifest.Parse(data)
		result = doc.Check(&s.options)
		return &report{file: in.name, line: doc.Line, findings: result.Findings, more: result.More, beyond: result.MoreWorst, readable: doc.Readable()}
	}})
	m := result.Manifest
	if err != nil || f.conf == "" || m == nil {
		return []*report{r}, err
	}
	confInput := fileInput(f.conf)
	if f.conf == "-" {
		confInput = input{name: stdinName, stdin: true}
	}
	if data, err = c.read(confInput); err != nil {
		return []*report{r}, err
	}
	conf, err := c.run(f, subject{confInput, data, func(data []byte) *report {
		conf := m.ParseConf(data, &s.options)
		return &report{file: confInput.name, line: conf.Line, findings: conf.Findings, readable: conf.Readable()}
	}})
	if conf != nil {
		// What is missing in the configuration file stands in the manifest.
		conf.findings = slices.DeleteFunc(conf.findings, func(f manifest.Finding) bool {
			if !f.Conf && !result.Ignores(&f) {
				r.findings = append(r.findings, f)
			}
			return !f.Conf
		})
		slices.SortStableFunc(r.findings, func(a, b manifest.Finding) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	return []*report{r, conf}, err
}

// run checks a file, with -fix after it was mended. With -diff it shows how it would be.
func (c Command) run(f *flags, sub subject) (*report, error) {
	r := sub.check(sub.data)
	if !f.fix && !f.diff {
		return r, nil
	}
	fixed, n := sub.mend(r.findings)
	switch {
	case f.diff:
		fmt.Fprint(c.Stdout, diff(sub.in.name, string(sub.data), string(fixed)))
		return r, nil
	case sub.in.stdin:
		if _, err := c.Stdout.Write(fixed); err != nil {
			return r, fmt.Errorf("write the standard output: %w", err)
		}
	case n > 0:
		if err := kvconf.WriteFile(sub.in.path, fixed); err != nil {
			return r, fmt.Errorf("write %s: %w", sub.in.name, err)
		}
	}
	return sub.check(fixed), nil
}

// mend makes the fixes of findings until there are no more, and gives how many were made.
func (sub subject) mend(findings []manifest.Finding) (fixed []byte, n int) {
	fixed = sub.data
	for range maxFixes {
		next, made := manifest.ApplyFixes(fixed, findings)
		if made == 0 {
			break
		}
		fixed, n = next, n+made
		findings = sub.check(fixed).findings
	}
	return fixed, n
}
