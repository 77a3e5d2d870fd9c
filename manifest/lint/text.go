package lint

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest"
)

// Escape sequences of terminals.
const (
	red, yellow, blue, green, bold, dim, plain = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
)

// maxSnippet is how many columns of a line are shown.
const maxSnippet = 120

// textPrinter writes for people.
type textPrinter struct {
	strings.Builder
	settings *settings
}

func printText(w io.Writer, s *settings, reports []*report) error {
	p := &textPrinter{settings: s}
	counts := make(map[manifest.Severity]int)
	fixes, total := 0, 0
	for _, r := range reports {
		for i := range r.findings {
			f := &r.findings[i]
			p.finding(r, f)
			counts[f.Severity]++
			total++
			if f.Fix != nil {
				fixes++
			}
		}
		if r.more > 0 {
			fmt.Fprintf(p, p.say("%s: and %d more findings\n", "%s：另有%d处\n"), r.file, r.more)
		}
	}
	if total > 0 {
		p.summary(counts, fixes)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// say chooses the text of the language.
func (p *textPrinter) say(en, zh string) string {
	return manifest.Text{EN: en, ZH: zh}.In(p.settings.lang)
}

// paint puts text into a colour.
func (p *textPrinter) paint(colour, text string) string {
	if !p.settings.color {
		return text
	}
	return colour + text + plain
}

func colourOf(s manifest.Severity) string {
	switch s {
	case manifest.Error:
		return red
	case manifest.Warning:
		return yellow
	}
	return blue
}

// severity gives the word of a severity.
func (p *textPrinter) severity(s manifest.Severity) string {
	switch s {
	case manifest.Error:
		return p.say("error", "错误")
	case manifest.Warning:
		return p.say("warning", "警告")
	}
	return p.say("info", "提示")
}

// finding writes
//
//	conf/manifest.yaml:9:12: error: 0 is below the minimum 1 [ML204 default-range]
//	  9 |   default: 0
//	    |            ^
func (p *textPrinter) finding(r *report, f *manifest.Finding) {
	place := fmt.Sprintf("%s:%d:%d:", printable(r.file), f.Line, f.Column)
	fmt.Fprintf(p, "%s %s %s %s\n", p.paint(bold, place), p.paint(colourOf(f.Severity), p.severity(f.Severity)+":"),
		printable(f.Message.In(p.settings.lang)), p.paint(dim, fmt.Sprintf("[%s %s]", f.Rule, f.Slug())))
	number := strconv.Itoa(f.Line)
	gap := strings.Repeat(" ", len(number))
	line := r.line(f.Line)
	if strings.TrimSpace(line) != "" {
		text, before, width := snippet(line, f)
		fmt.Fprintf(p, "  %s %s\n", p.paint(dim, number+" |"), text)
		fmt.Fprintf(p, "  %s %s%s\n", p.paint(dim, gap+" |"), strings.Repeat(" ", before), p.paint(green, "^"+strings.Repeat("~", max(width-1, 0))))
	}
	if f.Fix != nil {
		fmt.Fprintf(p, "  %s %s\n", p.paint(dim, gap+" ="), p.say("-fix: ", "-fix：")+printable(f.Fix.Title.In(p.settings.lang)))
	}
}

// snippet gives the part of a line around a finding, and in columns of a terminal where and how wide the finding is.
func snippet(line string, f *manifest.Finding) (text string, before, width int) {
	runes := []rune(printable(line))
	at := min(f.Column-1, len(runes))
	end := at
	if f.EndLine == f.Line {
		end = min(max(f.EndColumn-1, at), len(runes))
	}
	from := 0
	for columns(runes[from:at]) > maxSnippet*2/3 {
		from++
	}
	to := from
	for to < len(runes) && columns(runes[from:to]) < maxSnippet {
		to++
	}
	text = string(runes[from:to])
	before = columns(runes[from:at])
	if from > 0 {
		text, before = "…"+text, before+1
	}
	if to < len(runes) {
		text += "…"
	}
	return text, before, columns(runes[at:min(end, to)])
}

func (p *textPrinter) summary(counts map[manifest.Severity]int, fixes int) {
	var parts []string
	for _, s := range []manifest.Severity{manifest.Error, manifest.Warning, manifest.Info} {
		n := counts[s]
		if n == 0 {
			continue
		}
		word := " " + p.severity(s)
		switch {
		case p.settings.lang == "zh":
			word = "个" + p.severity(s)
		case n > 1 && s != manifest.Info:
			word += "s"
		}
		parts = append(parts, strconv.Itoa(n)+word)
	}
	p.WriteString(strings.Join(parts, p.say(", ", "，")))
	if fixes > 0 {
		fmt.Fprintf(p, p.say("; -fix mends %d", "；-fix可修复%d处"), fixes)
	}
	p.WriteByte('\n')
}
