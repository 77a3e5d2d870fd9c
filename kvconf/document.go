package kvconf

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Document is a file that can be changed in place: every byte that is not part of a change stays as it was, comments,
// order, blanks and line ends included. Reading methods may run beside each other, changes may not.
type Document struct {
	head  string // the byte order mark, or empty
	rows  []*row
	index map[string]*row // the last row of each key, which is the one that counts
}

// A row is one setting of a Document, or all the lines between two settings.
type row struct {
	raw   string // with line ends
	ln    line   // of a setting, with offsets into raw
	key   string // empty when the row is no setting
	value string
	bad   *lineError
}

// Parse reads the text of a file. When lines are wrong the error is of type Errors; the Document is there nonetheless,
// with these lines kept as they are.
func Parse(data []byte) (*Document, error) {
	src := string(data)
	pos := skipBOM(src)
	settings := min(strings.Count(src, "=")+1, maxPresize)
	d := &Document{head: src[:pos], rows: make([]*row, 0, settings), index: make(map[string]*row, settings)}
	if isUTF16(src) {
		d.rows = append(d.rows, &row{raw: src})
		return d, Errors{utf16Error()}
	}
	var bad problems
	var rows rowBlock
	gap := pos // where the lines start that are no settings
	closeGap := func() {
		if gap < pos {
			r := rows.next()
			r.raw = src[gap:pos]
			d.rows = append(d.rows, r)
		}
	}
	for number := 1; pos < len(src); number++ {
		var r row
		if err := r.parse(src, pos); err != nil && !bad.full() {
			bad.add(r.problem(err, number))
		}
		next := pos + len(r.raw)
		if r.key != "" {
			closeGap()
			gap = next
			kept := rows.next()
			*kept = r
			d.rows = append(d.rows, kept)
			d.index[r.key] = kept
		}
		pos = next
	}
	closeGap()
	if errs := bad.all(); len(errs) > 0 {
		return d, errs
	}
	return d, nil
}

// A rowBlock allocates rows, many at once.
type rowBlock []row

func (b *rowBlock) next() *row {
	if len(*b) == 0 {
		*b = make(rowBlock, 16)
	}
	r := &(*b)[0]
	*b = (*b)[1:]
	return r
}

// parse fills r with the line of src at pos.
func (r *row) parse(src string, pos int) *lineError {
	*r = row{}
	bad := r.ln.scan(src, pos)
	r.raw = src[pos:r.ln.next]
	r.ln.rebase(pos)
	if bad != nil {
		bad.at -= pos
		return bad
	}
	if !r.ln.isSetting {
		return nil
	}
	if r.value, bad = r.ln.value(r.raw); bad != nil {
		return bad
	}
	r.key = r.raw[r.ln.keyStart:r.ln.keyEnd]
	r.bad = r.ln.badText(r.raw)
	return nil
}

func (r *row) problem(bad *lineError, number int) *Error {
	text := r.raw[:r.ln.end]
	e := &Error{Line: number, Column: columnOf(text, bad.at), Kind: bad.kind, Msg: bad.msg, Key: r.raw[r.ln.keyStart:r.ln.keyEnd]}
	e.snippet(text)
	return e
}

// Get gives the value of key, without quotes and escapes undone. Of duplicates, the last one counts.
func (d *Document) Get(key string) (value string, ok bool) {
	r, ok := d.index[key]
	if !ok {
		return "", false
	}
	return r.value, true
}

// Keys gives the keys in the order of the file, each once.
func (d *Document) Keys() []string {
	keys := make([]string, 0, len(d.index))
	seen := make(map[string]bool, len(d.index))
	for _, r := range d.rows {
		if r.key != "" && !seen[r.key] {
			seen[r.key] = true
			keys = append(keys, r.key)
		}
	}
	return keys
}

// Entries gives the settings in the order of the file, duplicates included.
func (d *Document) Entries() []Entry {
	entries := make([]Entry, 0, len(d.rows))
	number := 1
	for _, r := range d.rows {
		if r.key == "" {
			number += strings.Count(r.raw, "\n")
			continue
		}
		text := r.raw[:r.ln.end]
		entries = append(entries, Entry{
			Key: r.key, Value: r.value, Quoted: r.ln.quote != 0, Line: number,
			Column: columnOf(text, r.ln.valStart), KeyColumn: columnOf(text, r.ln.keyStart),
			text: text, bad: r.bad, escaped: r.ln.hasEscape,
		})
		number++
	}
	return entries
}

// Bytes gives the text of the file.
func (d *Document) Bytes() []byte {
	n := len(d.head)
	for _, r := range d.rows {
		n += len(r.raw)
	}
	text := append(make([]byte, 0, n), d.head...)
	for _, r := range d.rows {
		text = append(text, r.raw...)
	}
	return text
}

// WriteTo writes the text of the file to w.
func (d *Document) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(d.Bytes())
	return int64(n), err
}

// Set gives key a value, in quotes where it needs them. A setting that is there is changed where it stands, the last one of
// duplicates; a comment behind it stays. When it has the value already, nothing changes. A new setting comes behind the last
// one of its section, or at the end, written as its neighbour is. The error wraps ErrUnwritable: the key cannot stand in a file.
func (d *Document) Set(key, value string) error {
	if why := keyProblem(key); why != "" {
		return &Error{Key: key, Kind: ErrUnwritable, Msg: why}
	}
	r, ok := d.index[key]
	if !ok {
		return d.insert(key, value)
	}
	if r.value == value {
		return nil
	}
	var text []byte
	if r.ln.quote == '"' {
		text = appendQuoted(text, value)
	} else {
		text = appendText(text, value)
	}
	before, after := r.raw[:r.ln.valStart], r.raw[r.ln.valEnd:]
	if r.ln.valStart == r.ln.valEnd {
		before, after = r.emptyValue()
	}
	return r.replace(before+string(text)+after, key, value)
}

// emptyValue gives what comes before and behind a value that is to be put where none is: "key =" gets a blank when the
// writer puts one before the "=", and a comment keeps its own.
func (r *row) emptyValue() (before, after string) {
	eq := r.ln.keyEnd + strings.IndexByte(r.raw[r.ln.keyEnd:], '=') + 1
	gap := r.raw[eq:r.ln.valStart]
	switch {
	case r.ln.comment || gap == "":
		before, after = r.raw[:eq], r.raw[eq:]
		if r.raw[eq-2] == ' ' || r.raw[eq-2] == '\t' {
			before += " "
		}
		return before, after
	}
	return r.raw[:r.ln.valStart], r.raw[r.ln.valEnd:]
}

// replace gives the row a new text, after a look at what it will be read as: a file must never come to say something else.
func (r *row) replace(raw, key, value string) error {
	var next row
	if bad := next.parse(raw, 0); bad != nil || next.key != key || next.value != value {
		return &Error{Key: key, Kind: ErrUnwritable, Msg: fmt.Sprintf("the line would be read as something else: %s", quoted(raw))}
	}
	*r = next
	return nil
}

// insert adds a setting that is not there.
func (d *Document) insert(key, value string) error {
	at, like := d.place(key)
	equals, end := " = ", "\n"
	if like != nil {
		eq := like.ln.keyEnd + strings.IndexByte(like.raw[like.ln.keyEnd:], '=')
		if eq == like.ln.keyEnd {
			equals = "="
		}
	}
	if len(d.rows) > 0 && strings.HasSuffix(d.rows[0].raw, "\r\n") {
		end = "\r\n"
	}
	if value == "" {
		equals = strings.TrimSuffix(equals, " ")
	}
	r := &row{}
	if err := r.replace(key+equals+string(appendText(nil, value))+end, key, value); err != nil {
		return err
	}
	if at > 0 && !strings.HasSuffix(d.rows[at-1].raw, "\n") {
		d.rows[at-1].raw += end
	}
	d.rows = slices.Insert(d.rows, at, r)
	d.index[key] = r
	return nil
}

// place finds where a new key belongs: behind the last setting of the nearest section that has one, else at the end. It also
// gives the setting whose style is to be followed, or nil.
func (d *Document) place(key string) (at int, like *row) {
	at, best := len(d.rows), 0
	for i, r := range d.rows {
		if r.key == "" {
			continue
		}
		n := commonSections(key, r.key)
		if n > 0 && n >= best {
			at, best, like = i+1, n, r
		} else if best == 0 {
			like = r
		}
	}
	return at, like
}

// commonSections counts the leading parts of the keys, without the last one, that are the same.
func commonSections(a, b string) int {
	n := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '.' {
			n++
		}
	}
	return n
}

// Delete removes every setting of key, with its line, and reports whether there was one.
func (d *Document) Delete(key string) bool {
	if _, ok := d.index[key]; !ok {
		return false
	}
	delete(d.index, key)
	d.rows = slices.DeleteFunc(d.rows, func(r *row) bool { return r.key == key })
	return true
}
