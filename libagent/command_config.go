package libagent

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/spf13/cobra"
)

// hidden stands for a value that is not for anybody's eyes.
const hidden = "(hidden)"

// effective is a setting as an agent has it.
type effective struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // default, or the place in the file, with the variables of the environment
}

func (c Command) configCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show every setting as the agent has it, and where it comes from",
		RunE: func(*cobra.Command, []string) error {
			all, findings, err := effectiveConfig(c.App, file)
			if err != nil {
				return failed(err)
			}
			for _, f := range findings {
				fmt.Fprintf(c.Stderr, "warning: not used: %v\n", f)
			}
			if asJSON {
				return failed(c.printJSON(all))
			}
			w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
			for _, e := range all {
				fmt.Fprintf(w, "%s\t= %s\t# %s\n", e.Key, printable(e.Value), printable(e.Origin))
			}
			return failed(w.Flush())
		},
	}
	withConf(cmd, &file)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// effectiveConfig returns what an agent makes of its config file.
func effectiveConfig(app App, file string) ([]effective, []*kvconf.Error, error) {
	src, err := readSource(file)
	if err != nil {
		return nil, nil, err
	}
	s, findings, err := src.load(app)
	if err != nil {
		return nil, nil, err
	}
	s.Basic().Log = s.Basic().Log.WithDefaults()
	secrets, err := kvconf.Secrets(s)
	if err != nil {
		return nil, nil, err
	}
	text, err := kvconf.Marshal(s)
	if err != nil {
		return nil, nil, err
	}
	doc, err := kvconf.Parse(text)
	if err != nil {
		return nil, nil, err
	}
	var all []effective
	for _, e := range doc.Entries() {
		v := effective{Key: e.Key, Value: e.Value, Origin: src.origin(e.Key, e.Value)}
		if v.Value == "null" && !e.Quoted {
			v.Value = "" // a list without members
		}
		if v.Value != "" && (slices.Contains(secrets, e.Key) || soundsSecret(e.Key)) {
			v.Value = hidden
		}
		v.Value = withoutPassword(v.Value)
		all = append(all, v)
	}
	return all, findings, nil
}

// variable is a variable of the environment in a value.
var variable = regexp.MustCompile(`\$(\w+|\{\w+\})`)

// origin tells where the value of a setting comes from.
func (s *source) origin(key, value string) string {
	line, _, ok := s.find(key)
	if !ok {
		return "default"
	}
	raw := s.raw(key)
	place := fmt.Sprintf("%s:%d", s.file, line)
	switch {
	case raw == "" && value != "" || raw == "null":
		return "default, nothing in " + place
	case raw != value && variable.MatchString(raw):
		return place + ", environment " + strings.Join(variable.FindAllString(raw, -1), " ")
	}
	return place
}

// soundsSecret tells whether a setting whose author has not marked it is one by its name.
func soundsSecret(key string) bool {
	name := strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])
	if strings.HasSuffix(name, "_file") || strings.HasSuffix(name, "_path") {
		return false
	}
	for _, word := range []string{"password", "passwd", "passphrase", "secret", "token", "credential", "api_key", "apikey", "private_key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// withoutPassword hides the password in a URL.
func withoutPassword(s string) string {
	if !strings.Contains(s, "://") || !strings.Contains(s, "@") {
		return s
	}
	words := strings.Split(s, ",")
	for i, w := range words {
		u, err := url.Parse(strings.TrimSpace(w))
		if err != nil {
			return hidden
		}
		if u.User != nil {
			u.User = url.User("hidden")
			words[i] = u.String()
		}
	}
	return strings.Join(words, ",")
}
