package lint

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitFailure `xml:"failure"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// printJUnit writes a test for each finding, which fails when the finding is as severe as -fail-on; a file without findings
// is one test that passes.
func printJUnit(w io.Writer, s *settings, reports []*report) error {
	all := junitSuites{Name: "manifest-lint"}
	for _, r := range reports {
		suite := junitSuite{Name: xmlText(r.file)}
		for i := range r.findings {
			f := &r.findings[i]
			message := xmlText(f.Message.In(s.lang))
			text := fmt.Sprintf("%s:%d:%d: %s: %s", xmlText(r.file), f.Line, f.Column, f.Severity, message)
			tc := junitCase{
				Name: fmt.Sprintf("%s %s at %d:%d", f.Rule, f.Slug(), f.Line, f.Column), Class: suite.Name, File: suite.Name, Line: f.Line,
			}
			if f.Severity >= s.failOn {
				tc.Failure = &junitFailure{f.Severity.String(), message, text}
				suite.Failures++
			} else {
				tc.Output = text
			}
			suite.Cases = append(suite.Cases, tc)
		}
		if len(suite.Cases) == 0 {
			suite.Cases = []junitCase{{Name: "manifest-lint", Class: suite.Name, File: suite.Name}}
		}
		suite.Tests = len(suite.Cases)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Suites = append(all.Suites, suite)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

// xmlText replaces what XML cannot hold.
func xmlText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, text)
}
