package manifest

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxConfLine is how long a line may be: agents of the field stop reading at a longer one.
const maxConfLine = 64<<10 - 1 // bytes, with the line end

// confEntry is one setting of a configuration file, as agents of the field read it.
type confEntry struct {
	key, value string
	keyAt      int // offset
	valueAt    int // offset of the value; of the end of the line when it is empty
	quoted     bool
	cut        bool // a "#" took a part of the value away
}

// confReader takes a configuration file apart.
type confReader struct {
	collector
	entries []confEntry
}

// open reads a file and reports whether that was possible.
func (r *confReader) open(data []byte) bool {
	r.src = newSource(nil)
	switch {
	case len(data) > MaxBytes:
		r.at(ruleConfSyntax, 0, 0, both("the file has %d bytes, more than %d", "文件有%d字节，超过上限%d", len(data), MaxBytes))
		return false
	case isUTF16(data):
		r.at(ruleConfSyntax, 0, 0, Text{"the file is UTF-16; save it as UTF-8", "文件是UTF-16编码，请保存为UTF-8"})
		return false
	}
	r.src = newSource(data)
	r.read()
	return true
}

// read finds the settings, and the lines that are none.
func (r *confReader) read() {
	text := r.src.text
	if r.src.base > 0 {
		r.at(ruleConfSyntax, 0, 0, Text{"the byte order mark becomes a part of the first line; save the file without one", "BOM会成为首行内容的一部分，请保存为不带BOM的文件"}).
			Fix = &Fix{Title: Text{"remove the byte order mark", "删除BOM"}, Edits: []Edit{{0, r.src.base, ""}}}
	}
	if at := firstBadByte(text); at >= 0 {
		r.at(ruleConfSyntax, at, at+1, both("the byte 0x%02x is not text in UTF-8", "字节0x%02x不是UTF-8文本", text[at]))
	}
	for pos := 0; pos < len(text); {
		end, next := len(text), len(text)
		if n := strings.IndexByte(text[pos:], '\n'); n >= 0 {
			end, next = pos+n, pos+n+1
		}
		if next-pos > maxConfLine {
			r.at(ruleConfSyntax, pos, pos, both("the line has %d bytes; agents stop reading at one longer than %d", "该行有%d字节，Agent遇到超过%d字节的行会停止读取", next-pos, maxConfLine))
			return
		}
		r.line(pos, end)
		pos = next
	}
}

// line reads one line. Everything from a "#" on is a comment, unless it is the last character.
func (r *confReader) line(start, end int) {
	text := strings.TrimSuffix(r.src.text[start:end], "\r")
	row := text
	hash := strings.IndexByte(row, '#')
	if hash >= 0 && hash < len(row)-1 {
		row = row[:hash]
	} else {
		hash = -1
	}
	from := start + len(row) - len(strings.TrimLeftFunc(row, unicode.IsSpace))
	if strings.TrimSpace(row) == "" {
		return
	}
	before, after, ok := strings.Cut(row, "=")
	e := confEntry{key: strings.TrimSpace(before), value: strings.TrimSpace(after), keyAt: from}
	switch {
	case !ok && strings.Contains(text, "="):
		r.at(ruleConfSyntax, from, start+len(text), Text{`the "=" is behind the "#" of a comment`, "“=”位于注释符号“#”之后"})
		return
	case !ok:
		r.at(ruleConfSyntax, from, start+len(text), Text{`the line is not "key = value": it has no "="`, "该行不是“key = value”格式：缺少“=”"})
		return
	case e.key == "":
		r.at(ruleConfSyntax, from, from+1, Text{`there is no key before "="`, "“=”之前没有配置项名称"})
		return
	}
	e.valueAt = start + len(before) + 1 + len(after) - len(strings.TrimLeftFunc(after, unicode.IsSpace))
	if hash >= 0 {
		last, _ := utf8.DecodeLastRuneInString(row)
		e.cut = !unicode.IsSpace(last) || openQuote(e.value)
	}
	if q := e.value; len(q) >= 2 && (q[0] == '"' || q[0] == '\'') && q[0] == q[len(q)-1] {
		e.quoted = true
		e.value = q[1 : len(q)-1]
	}
	r.entries = append(r.entries, e)
}

// openQuote reports whether a value starts with a quote that is not closed.
func openQuote(value string) bool {
	return value != "" && (value[0] == '"' || value[0] == '\'') && strings.IndexByte(value[1:], value[0]) < 0
}

// firstBadByte gives the offset of the first byte that is not UTF-8, or is NUL; -1 when there is none.
func firstBadByte(text string) int {
	if utf8.ValidString(text) {
		return strings.IndexByte(text, 0)
	}
	for i, r := range text {
		if _, size := utf8.DecodeRuneInString(text[i:]); r == 0 || r == utf8.RuneError && size == 1 {
			return i
		}
	}
	return -1
}

// isUTF16 reports whether data starts with a byte order mark of UTF-16.
func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}
