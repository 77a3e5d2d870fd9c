package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/manifest"
	"github.com/jkstack/jkframe/v2/manifest/form"
)

// load reads a manifest that has no errors.
func (c Command) load(path string) (*manifest.Manifest, error) {
	in := fileInput(path)
	if path == "-" {
		in = input{name: stdinName, stdin: true}
	}
	data, err := c.read(in)
	if err != nil {
		return nil, err
	}
	m, err := manifest.Load(data)
	if err != nil {
		fmt.Fprintf(c.Stderr, "manifest-lint: %s has errors:\n%s\n", in.name, err)
		if !manifest.Parse(data).Readable() {
			return nil, exitError(ExitUnreadable)
		}
		return nil, exitError(ExitFindings)
	}
	return m, nil
}

func (c Command) formCommand() *cobra.Command {
	var to, lang, title, out string
	cmd := &cobra.Command{
		Use:   "form [flags] [manifest]",
		Short: "Make a form of a manifest: one HTML page, or a JSON Schema",
		Args:  atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("-to", to, "html", "jsonschema"); err != nil {
				return err
			}
			if err := oneOf("-lang", lang, "en", "zh"); err != nil {
				return err
			}
			m, err := c.load(append(args, DefaultManifest)[0])
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if to == "jsonschema" {
				text, err := form.Schema(m, lang)
				if err != nil {
					return err
				}
				b.Write(text)
			} else if err := form.WritePage(&b, m, &form.PageOptions{Lang: lang, Title: title}); err != nil {
				return err
			}
			return c.deliver(out, b.Bytes())
		},
	}
	cmd.Flags().StringVar(&to, "to", "html", "what to make: html, jsonschema")
	cmd.Flags().StringVar(&lang, "lang", "zh", "language of labels: zh, en")
	cmd.Flags().StringVar(&title, "title", "", "title of the page")
	outFlag(cmd, &out)
	return cmd
}

func (c Command) schemaCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Give the JSON Schema of manifest.yaml itself, for editors",
		Args:  atMost(0),
		RunE:  func(*cobra.Command, []string) error { return c.deliver(out, form.ManifestSchema()) },
	}
	outFlag(cmd, &out)
	return cmd
}

func outFlag(cmd *cobra.Command, out *string) {
	cmd.Flags().StringVarP(out, "output", "o", "", "`FILE` to write; by default, the standard output")
}

func atMost(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError{fmt.Errorf("%d arguments, want at most %d", len(args), n)}
		}
		return nil
	}
}

// deliver writes a result to a file, or to the standard output.
func (c Command) deliver(file string, data []byte) error {
	if file != "" {
		if err := writeReport(file, data); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		return nil
	}
	if _, err := c.Stdout.Write(data); err != nil {
		return fmt.Errorf("write the standard output: %w", err)
	}
	return nil
}

const valuesHelp = `Values are a JSON object, nested or with dotted keys, or a configuration file; - is the standard input. The manifest is
told from the values by the end of its name, .yaml or .yml; by default it is conf/manifest.yaml.`

func (c Command) valuesCommand() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:   "values [manifest.yaml] values.json|agent.conf|-",
		Short: "Evaluate values: which settings are active, what they are, and what is wrong with them, as JSON",
		Long:  "Evaluate values and write the result as JSON. The exit code is 1 when a value is not valid.\n\n" + valuesHelp,
		Args:  atMost(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("-lang", lang, "en", "zh"); err != nil {
				return err
			}
			_, e, err := c.evaluate(args)
			if err != nil {
				return err
			}
			if err := writeJSON(c.Stdout, evaluationJSON(e, lang), "  "); err != nil {
				return err
			}
			if e.Err() != nil {
				return exitError(ExitFindings)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "en", "language of messages: en, zh")
	return cmd
}

func (c Command) renderCommand() *cobra.Command {
	var lang, base, out string
	cmd := &cobra.Command{
		Use:   "render [flags] [manifest.yaml] values.json|agent.conf|-",
		Short: "Make a configuration file of values",
		Long: `Make a configuration file of values: the settings that are active, with defaults filled in. With -base an existing file is
changed in place, comments and all.

` + valuesHelp,
		Args: atMost(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("-lang", lang, "en", "zh"); err != nil {
				return err
			}
			m, e, err := c.evaluate(args)
			if err != nil {
				return err
			}
			var old []byte
			if base != "" {
				if old, err = c.read(fileInput(base)); err != nil {
					return err
				}
			}
			for _, v := range e.Violations {
				fmt.Fprintf(c.Stderr, "%s: %s: %s\n", printable(v.Key), v.Severity, printable(v.Message.In(lang)))
			}
			text, err := m.WriteConf(old, e, lang)
			if violations := (manifest.Violations)(nil); errors.As(err, &violations) {
				return exitError(ExitFindings)
			} else if err != nil {
				return err
			}
			if out != "" {
				// A configuration file may hold secrets: unlike a report it is not for everybody.
				return kvconf.WriteFile(out, text)
			}
			return c.deliver("", text)
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "zh", "language of comments and messages: zh, en")
	cmd.Flags().StringVar(&base, "base", "", "existing configuration `FILE` to change")
	outFlag(cmd, &out)
	return cmd
}

// evaluate reads the manifest and the values that the arguments name.
func (c Command) evaluate(args []string) (*manifest.Manifest, *manifest.Evaluation, error) {
	path, values := DefaultManifest, ""
	for i, arg := range args {
		switch ext := strings.ToLower(filepath.Ext(arg)); {
		case i == 0 && (ext == ".yaml" || ext == ".yml" || len(args) == 2):
			path = arg
		case values == "":
			values = arg
		}
	}
	if values == "" {
		return nil, nil, usageError{errors.New("name a file of values, or - for the standard input")}
	}
	if values == "-" && path == "-" {
		return nil, nil, usageError{errors.New("the manifest and the values cannot both be the standard input")}
	}
	m, err := c.load(path)
	if err != nil {
		return nil, nil, err
	}
	in := fileInput(values)
	if values == "-" {
		in = input{name: stdinName, stdin: true}
	}
	data, err := c.read(in)
	if err != nil {
		return nil, nil, err
	}
	if first := bytes.TrimLeft(data, " \t\r\n"); !bytes.HasPrefix(first, []byte("{")) {
		if strings.EqualFold(filepath.Ext(values), ".json") {
			return nil, nil, fmt.Errorf("read %s: values are a JSON object", in.name)
		}
		conf := m.ParseConf(data, nil)
		if !conf.Readable() {
			last := conf.Findings[len(conf.Findings)-1] // behind what is missing
			return nil, nil, fmt.Errorf("read %s: %s", in.name, last.Message.EN)
		}
		return m, conf.Evaluation, nil
	}
	given, err := decodeValues(data)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", in.name, err)
	}
	return m, m.Evaluate(given), nil
}

func decodeValues(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the JSON object")
	}
	return values, nil
}

// evaluationJSON is what the command values writes.
func evaluationJSON(e *manifest.Evaluation, lang string) any {
	type field struct {
		Key     string `json:"key"`
		Type    string `json:"type"`
		Active  bool   `json:"active"`
		Default bool   `json:"default"`
		Value   any    `json:"value"`
		Text    string `json:"text,omitempty"`
	}
	type violation struct {
		Key      string            `json:"key"`
		Member   *int              `json:"member,omitempty"`
		Rule     manifest.ID       `json:"rule"`
		Cause    manifest.ID       `json:"cause,omitempty"`
		Severity manifest.Severity `json:"severity"`
		Message  string            `json:"message"`
	}
	result := struct {
		Valid      bool        `json:"valid"`
		Fields     []field     `json:"fields"`
		Violations []violation `json:"violations"`
	}{Valid: e.Err() == nil, Fields: []field{}, Violations: []violation{}}
	for _, f := range e.Fields {
		result.Fields = append(result.Fields, field{f.Item.Key, string(f.Item.Type), f.Active, f.IsDefault, f.Value.Data, f.Value.Text})
	}
	for _, v := range e.Violations {
		out := violation{Key: v.Key, Rule: v.Rule, Cause: v.Cause, Severity: v.Severity, Message: v.Message.In(lang)}
		if v.Member >= 0 {
			out.Member = &v.Member
		}
		result.Violations = append(result.Violations, out)
	}
	return result
}

// IsTerminal reports whether a file is one, and colours are wanted there.
func IsTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
