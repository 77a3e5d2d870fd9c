package logging

import "bytes"

const (
	colourTime  = "\x1b[2m" // faint
	colourReset = "\x1b[0m"
)

// appendColoured appends a line of text with its time faint and its level in a colour. The line has no escape sequences
// yet, since all that it quotes.
func appendColoured(b, line []byte) []byte {
	const stamp = len("2006-01-02 15:04:05.000 ")
	if len(line) > stamp && line[0] >= '0' && line[0] <= '9' {
		b = append(b, colourTime...)
		b = append(b, line[:stamp-1]...)
		b = append(b, colourReset+" "...)
		line = line[stamp:]
	}
	end := bytes.IndexByte(line, ' ')
	if end <= 0 { // a time made by hand, in a year of five digits, is longer
		return append(b, line...)
	}
	b = append(b, levelColour(line[:end])...)
	b = append(b, line[:end]...)
	b = append(b, colourReset...)
	return append(b, line[end:]...)
}

// levelColour is the colour of a level, which may have an offset (INFO+2).
func levelColour(level []byte) string {
	switch level[0] {
	case 'D':
		return "\x1b[36m" // cyan
	case 'I':
		return "\x1b[32m" // green
	case 'W':
		return "\x1b[33m" // yellow
	}
	return "\x1b[31m" // red
}
