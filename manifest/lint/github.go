package lint

import (
	"fmt"
	"io"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest"
)

// printGitHub writes workflow commands, which GitHub shows beside the lines of a pull request.
func printGitHub(w io.Writer, s *settings, reports []*report) error {
	var b strings.Builder
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, r := range reports {
		for i := range r.findings {
			f := &r.findings[i]
			level := f.Severity.String()
			if f.Severity == manifest.Info {
				level = "notice"
			}
			fmt.Fprintf(&b, "::%s file=%s,line=%d,col=%d", level, property.Replace(r.file), f.Line, f.Column)
			if f.EndLine == f.Line && f.EndColumn > f.Column {
				fmt.Fprintf(&b, ",endLine=%d,endColumn=%d", f.EndLine, f.EndColumn)
			}
			fmt.Fprintf(&b, ",title=%s::%s\n", property.Replace(string(f.Rule)+" "+f.Slug()), message.Replace(f.Message.In(s.lang)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
