package lint

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// output is a format and the file that it goes to; the empty name is the standard output.
type output struct{ format, file string }

// printer writes the reports of all files in one format.
type printer func(w io.Writer, s *settings, reports []*report) error

func formatNames() []string { return []string{"text", "json", "jsonl", "github", "sarif", "junit"} }

func printerOf(format string) printer {
	switch format {
	case "json":
		return printJSON
	case "jsonl":
		return printJSONL
	case "github":
		return printGitHub
	case "sarif":
		return printSARIF
	case "junit":
		return printJUnit
	}
	return printText
}

// write writes the reports to the standard output and to files. What is a diff or a mended file on the standard output leaves
// the standard error to the reports.
func (c Command) write(s *settings, f *flags, reports []*report) error {
	for _, out := range s.outputs {
		print := printerOf(out.format)
		if out.file != "" {
			plain := *s
			plain.color = false
			var b bytes.Buffer
			if err := print(&b, &plain, reports); err != nil {
				return err
			}
			if err := writeReport(out.file, b.Bytes()); err != nil {
				return fmt.Errorf("write %s: %w", out.file, err)
			}
			continue
		}
		w := c.Stdout
		if f.diff || f.fix && len(reports) > 0 && reports[0].file == stdinName {
			w = c.Stderr
		}
		if err := print(w, s, reports); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// writeReport writes a file that others may read, unlike a configuration file.
func writeReport(name string, data []byte) error {
	if _, err := os.Lstat(name); err == nil {
		return kvconf.WriteFile(name, data)
	}
	return os.WriteFile(name, data, 0o644)
}
