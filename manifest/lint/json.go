package lint

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/jkstack/jkframe/v2/manifest"
)

// jsonFinding is a finding in the formats json and jsonl. Lines and columns count from 1, columns in characters.
type jsonFinding struct {
	File      string            `json:"file"`
	Line      int               `json:"line"`
	Column    int               `json:"column"`
	EndLine   int               `json:"end_line"`
	EndColumn int               `json:"end_column"`
	Rule      manifest.ID       `json:"rule"`
	Slug      string            `json:"slug"`
	Severity  manifest.Severity `json:"severity"`
	Message   string            `json:"message"`
	Messages  manifest.Text     `json:"messages"`
	Key       string            `json:"key,omitempty"`
	Fix       *jsonFix          `json:"fix,omitempty"`
}

// jsonFix replaces bytes of the file, from start up to end.
type jsonFix struct {
	Title string     `json:"title"`
	Edits []jsonEdit `json:"edits"`
}

type jsonEdit struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

func jsonFindings(s *settings, reports []*report) []jsonFinding {
	all := []jsonFinding{}
	for _, r := range reports {
		for i := range r.findings {
			f := &r.findings[i]
			j := jsonFinding{
				File: r.file, Line: f.Line, Column: f.Column, EndLine: f.EndLine, EndColumn: f.EndColumn, Rule: f.Rule, Slug: f.Slug(),
				Severity: f.Severity, Message: f.Message.In(s.lang), Messages: f.Message, Key: f.Key,
			}
			if f.Fix != nil {
				j.Fix = &jsonFix{Title: f.Fix.Title.In(s.lang)}
				for _, e := range f.Fix.Edits {
					j.Fix.Edits = append(j.Fix.Edits, jsonEdit(e))
				}
			}
			all = append(all, j)
		}
	}
	return all
}

// printJSON writes one list of all findings.
func printJSON(w io.Writer, s *settings, reports []*report) error {
	return writeJSON(w, jsonFindings(s, reports), "  ")
}

// printJSONL writes each finding on a line.
func printJSONL(w io.Writer, s *settings, reports []*report) error {
	for _, f := range jsonFindings(s, reports) {
		if err := writeJSON(w, f, ""); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON writes v in one piece, with < and & as they are.
func writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
