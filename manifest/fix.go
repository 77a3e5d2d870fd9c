package manifest

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ApplyFixes gives data with the fixes of the findings made, which are those of Check for the same data, and how many
// were. Of fixes that overlap the first one is made; the others may be made when the result is checked again.
func ApplyFixes(data []byte, findings []Finding) (fixed []byte, n int) {
	var edits []Edit
	for i := range findings {
		if findings[i].Fix != nil {
			edits = append(edits, findings[i].Fix.Edits...)
		}
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.Start - b.Start })
	pos := 0
	for i, e := range edits {
		if e.Start < pos || e.End > len(data) || i > 0 && e == edits[i-1] {
			continue
		}
		fixed = append(append(fixed, data[pos:e.Start]...), e.Text...)
		pos = e.End
		n++
	}
	return append(fixed, data[pos:]...), n
}

// removeLine gives the fix that takes a field away that has a line for itself.
func (c *checker) removeLine(it *item, p *pair) *Fix {
	if it.node.Style&yaml.FlowStyle != 0 || !slices.Contains(it.node.Content, p.key) {
		return nil
	}
	start, end, bare := c.src.span(p.key)
	line, _ := c.src.place(start)
	text := c.src.line(line)
	from := c.src.offsetOfLine(line)
	rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimLeft(text[min(end-from, len(text)):], " "), ":"))
	value := resolve(p.value)
	if !bare || strings.TrimSpace(text[:start-from]) != "" || rest != value.Value {
		return nil
	}
	return &Fix{
		Title: both("remove %s", "删除%s", p.key.Value),
		Edits: []Edit{{c.src.base + from, c.src.base + c.src.offsetOfLine(line+1), ""}},
	}
}
