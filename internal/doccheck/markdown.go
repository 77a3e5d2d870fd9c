package doccheck

import "strings"

// Block is a fenced block of code.
type Block struct {
	Line int    // of its first line of code, from 1
	Lang string // what stands behind the opening fence: go, sh …
	Text string // the code, each line with its end
}

// Table is a table with a head.
type Table struct {
	Line    int    // of its head, from 1
	Heading string // the text of the nearest heading above it, without its number signs
	Head    []string
	Rows    [][]string // each as long as the head
}

const fence = "```"

// Blocks returns the fenced blocks of a document. One that is not closed reaches to the end.
func Blocks(doc string) []Block {
	var (
		all  []Block
		open bool
	)
	for i, line := range lines(doc) {
		switch {
		case open && line == fence:
			open = false
		case open:
			all[len(all)-1].Text += line + "\n"
		case strings.HasPrefix(line, fence):
			all, open = append(all, Block{Line: i + 2, Lang: strings.TrimPrefix(line, fence)}), true
		}
	}
	return all
}

// Tables returns the tables of a document, but for those in fenced blocks. Lines with another number of cells than the head
// end a table.
func Tables(doc string) []Table {
	var (
		all     []Table
		heading string
		fenced  bool
		text    = lines(doc)
	)
	for i := 0; i < len(text); i++ {
		line := text[i]
		switch {
		case strings.HasPrefix(line, fence):
			fenced = !fenced
		case fenced:
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		case i+1 < len(text) && isRule(text[i+1], len(cells(line))):
			t := Table{Line: i + 1, Heading: heading, Head: cells(line)}
			for i += 2; i < len(text) && len(cells(text[i])) == len(t.Head); i++ {
				t.Rows = append(t.Rows, cells(text[i]))
			}
			i--
			all = append(all, t)
		}
	}
	return all
}

// isRule reports whether a line is the one between a table's head of n cells and its rows.
func isRule(line string, n int) bool {
	rule := cells(line)
	if n == 0 || len(rule) != n {
		return false
	}
	for _, c := range rule {
		if len(c) < 3 || strings.Trim(c, "-:") != "" {
			return false
		}
	}
	return true
}

// cells returns the cells of a line of a table, nil for any other line. A bar in a cell is written \|.
func cells(line string) []string {
	inner, begins := strings.CutPrefix(line, "|")
	inner, ends := strings.CutSuffix(inner, "|")
	if !begins || !ends {
		return nil
	}
	const bar = "\x00"
	all := strings.Split(strings.ReplaceAll(inner, `\|`, bar), "|")
	for i, c := range all {
		all[i] = strings.TrimSpace(strings.ReplaceAll(c, bar, "|"))
	}
	return all
}

func lines(doc string) []string {
	all := strings.Split(doc, "\n")
	for i, line := range all {
		all[i] = strings.TrimRight(line, " \t\r")
	}
	return all
}
