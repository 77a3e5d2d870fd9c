package kvconf

import "unicode/utf8"

// An Entry is one setting, with the place where it stands.
type Entry struct {
	Key       string
	Value     string // without quotes, escapes undone
	Line      int    // from 1, or 0 when it has no place
	Column    int    // of the value, from 1, in characters
	KeyColumn int    // of the key, from 1, in characters
	Quoted    bool   // the value stood in quotes, so that null is a word as any other

	text    string     // the line, for snippets
	bad     *lineError // a byte that no text has, at an offset into text
	escaped bool       // the value had escapes
}

// An item is the setting that is being decoded. The places are found when they are needed.
type item struct {
	key, value string
	inQuotes   bool
	secret     bool   // the value is not for anybody's eyes
	escaped    bool   // the value has escapes, so that offsets into it are not offsets into the line
	line       int    // from 1, or 0 when it has no place
	text       string // the line, or empty
	keyAt      int    // byte offsets into text, when the columns are 0
	valueAt    int
	keyColumn  int
	column     int
}

// columnOf gives the column of a byte offset into the text of a line.
func columnOf(text string, at int) int { return utf8.RuneCountInString(text[:at]) + 1 }

// columnOfKey gives the column of the key, or 0 when it has no place.
func (it *item) columnOfKey() int {
	if it.keyColumn > 0 || it.text == "" {
		return it.keyColumn
	}
	return columnOf(it.text, it.keyAt)
}

// columnOfValue gives the column of the place that is offset bytes into the value, or 0 when it has no place. When the value
// is not in the text as it is, that is the column of its start.
func (it *item) columnOfValue(offset int) int {
	column := it.column
	if column == 0 && it.text != "" {
		column = columnOf(it.text, it.valueAt)
	}
	if column == 0 || offset == 0 || it.escaped || offset > len(it.value) {
		return column
	}
	if it.inQuotes && it.text != "" {
		column++
	}
	return column + utf8.RuneCountInString(it.value[:offset])
}

// snippet puts the text of a line into e, around the place when the line is long.
func (e *Error) snippet(text string) {
	at := e.Column - 1
	if utf8.RuneCountInString(text) > maxSnippet {
		first := max(0, at-maxSnippet/2)
		text = skip(text, first)
		text = text[:len(text)-len(skip(text, maxSnippet))]
		at -= first
	}
	e.Snippet, e.caret = text, at
}

// skip cuts the first n characters off s.
func skip(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[i:]
		}
		n--
	}
	return ""
}
