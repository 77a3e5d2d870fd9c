package lint

import (
	"io"
	"net/url"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest"
)

// The parts of SARIF 2.1.0 that a linter needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Version        string      `json:"version,omitempty"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string       `json:"id"`
		Name          string       `json:"name"`
		Short         sarifMessage `json:"shortDescription"`
		HelpURI       string       `json:"helpUri"`
		Configuration sarifLevel   `json:"defaultConfiguration"`
	}
	sarifLevel struct {
		Level   string `json:"level"`
		Enabled bool   `json:"enabled"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifFix struct {
		Description sarifMessage  `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifBytes   `json:"deletedRegion"`
		Inserted sarifMessage `json:"insertedContent"`
	}
	sarifBytes struct {
		Offset int `json:"byteOffset"`
		Length int `json:"byteLength"`
	}
)

// Where the rules are described.
const (
	projectURI = "https://github.com/jkstack/jkframe"
	rulesURI   = projectURI + "/blob/master/docs/manifest-rules.md#"
)

func sarifLevelOf(s manifest.Severity) string {
	if s == manifest.Info {
		return "note"
	}
	return s.String()
}

// printSARIF writes the static analysis results interchange format, which GitHub and editors read.
func printSARIF(w io.Writer, s *settings, reports []*report) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "manifest-lint", InformationURI: projectURI, Version: version()}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	index := make(map[manifest.ID]int)
	for i, rule := range manifest.Rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: string(rule.ID), Name: rule.Slug, Short: sarifMessage{rule.Summary.In(s.lang)},
			HelpURI:       rulesURI + strings.ToLower(string(rule.ID)) + "-" + rule.Slug,
			Configuration: sarifLevel{sarifLevelOf(rule.Severity), !rule.Off},
		})
	}
	for _, r := range reports {
		artifact := sarifArtifact{(&url.URL{Path: r.file}).String()}
		for i := range r.findings {
			f := &r.findings[i]
			region := sarifRegion{StartLine: f.Line, StartColumn: f.Column}
			if f.EndLine > f.Line || f.EndLine == f.Line && f.EndColumn > f.Column {
				region.EndLine, region.EndColumn = f.EndLine, f.EndColumn
			}
			run.Results = append(run.Results, sarifResult{
				RuleID: string(f.Rule), RuleIndex: index[f.Rule], Level: sarifLevelOf(f.Severity), Message: sarifMessage{f.Message.In(s.lang)},
				Locations: []sarifLocation{{sarifPhysical{artifact, region}}},
				Fixes:     sarifFixes(s, artifact, f.Fix),
			})
		}
	}
	return writeJSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}, "  ")
}

func sarifFixes(s *settings, artifact sarifArtifact, fix *manifest.Fix) []sarifFix {
	if fix == nil {
		return nil
	}
	change := sarifChange{Artifact: artifact}
	for _, e := range fix.Edits {
		change.Replacements = append(change.Replacements, sarifReplacement{sarifBytes{e.Start, e.End - e.Start}, sarifMessage{e.Text}})
	}
	return []sarifFix{{sarifMessage{fix.Title.In(s.lang)}, []sarifChange{change}}}
}
