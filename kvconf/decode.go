package kvconf

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"maps"
	"reflect"
	"slices"
)

// DefaultMaxLine is the longest line in bytes that a Decoder takes when MaxLine was not called.
const DefaultMaxLine = 16 << 20

// maxProblems is how many problems of an input are kept; the last one then says how many there were.
const maxProblems = 1000

// A Decoder reads one file, or a list of entries, into a Go value. Its options are methods that return the Decoder:
//
//	err := kvconf.NewDecoder(f).File("agent.conf").Tolerant().Decode(&conf)
type Decoder struct {
	r         io.Reader
	entries   []Entry
	file      string
	maxLine   int
	tolerant  bool
	lookup    func(string) (string, bool)
	expandMap bool
	findings  Errors
}

// NewDecoder gives a decoder of everything that r holds.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{r: r, maxLine: DefaultMaxLine} }

// NewEntryDecoder gives a decoder of settings that were read before, by a Document or from a file of another format. The
// places of the entries appear in errors.
func NewEntryDecoder(entries []Entry) *Decoder { return &Decoder{entries: entries} }

// File sets the name of the file that errors give. By default, they give none.
func (d *Decoder) File(name string) *Decoder {
	d.file = name
	return d
}

// MaxLine sets the longest line in bytes; zero means no limit. By default, it is DefaultMaxLine. A longer line is an error,
// and reading ends there.
func (d *Decoder) MaxLine(n int) *Decoder {
	d.maxLine = n
	return d
}

// Tolerant makes unknown keys, duplicate keys and text that is not UTF-8 findings beside a good result, instead of errors: an
// older program can start with the file of a newer one. Of duplicates the last one counts, as it does for agents of the
// field. Bytes that are not UTF-8 are taken as they are. Without this option they are errors.
func (d *Decoder) Tolerant() *Decoder {
	d.tolerant = true
	return d
}

// Expand replaces $NAME and ${NAME} by what lookup gives for NAME, in the values of fields with the option expand only, so
// that a password with a "$" is never touched. A name starts with a letter or "_", and goes on with those and digits. "$$" is
// one "$"; any other "$" stays. What was put in is not expanded again. A name for which lookup reports false is an error that
// wraps ErrUnset. By default, nothing is expanded.
func (d *Decoder) Expand(lookup func(name string) (value string, ok bool)) *Decoder {
	d.lookup = lookup
	return d
}

// ExpandMap extends Expand to every value that is decoded into a map.
func (d *Decoder) ExpandMap() *Decoder {
	d.expandMap = true
	return d
}

// Findings gives what Decode found in tolerant mode, in the order of the input.
func (d *Decoder) Findings() []*Error { return d.findings }

// Decode reads the input into v, a pointer that is not nil to a struct, a map or an empty interface, see the documentation
// of the package. It goes on after a problem, and returns all of them as Errors; v then holds what could be decoded. An error
// that is not of type Errors is one of the reader, or wraps ErrType when v cannot be decoded into.
func (d *Decoder) Decode(v any) error {
	d.findings = nil
	run := decodeState{Decoder: d}
	if err := run.aim(v); err != nil {
		return err
	}
	if d.r == nil {
		run.list(d.entries)
		return run.result()
	}
	src, err := d.read(&run)
	if err != nil {
		return err
	}
	run.source(src)
	return run.result()
}

// read gives the text of the reader, up to a line that is too long.
func (d *Decoder) read(run *decodeState) (string, error) {
	var buf bytes.Buffer
	if d.maxLine <= 0 {
		if _, err := buf.ReadFrom(d.r); err != nil {
			return "", d.readError(err)
		}
		return buf.String(), nil
	}
	lineStart := 0
	for {
		n, err := buf.ReadFrom(io.LimitReader(d.r, int64(max(d.maxLine, bytes.MinRead))))
		if err != nil {
			return "", d.readError(err)
		}
		text := buf.Bytes()
		if i := bytes.LastIndexByte(text[lineStart:], '\n'); i >= 0 {
			lineStart += i + 1
		}
		if n == 0 || len(text)-lineStart > d.maxLine+1 {
			return buf.String(), nil
		}
	}
}

func (d *Decoder) readError(err error) error {
	if d.file == "" {
		return fmt.Errorf("read configuration: %w", err)
	}
	return fmt.Errorf("read configuration %q: %w", d.file, err)
}

// A decodeState is one run of a decoder.
type decodeState struct {
	*Decoder
	item
	src     string // the text, unless there are entries
	index   int    // the current entry
	into    target
	errs    Errors
	dropped int // problems over maxProblems
}

// A target takes settings one by one.
type target interface {
	// put takes the current item of the run.
	put(*decodeState)
	// isSecret reports whether the value of key must not be shown.
	isSecret(key string) bool
}

// aim finds out what v is.
func (d *decodeState) aim(v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("kvconf: %w: cannot decode into %T, only into a pointer that is not nil", ErrType, v)
	}
	if m, ok := v.(*map[string]string); ok {
		d.into = &wordMap{m: m}
		return nil
	}
	root := p.Elem()
	if root.Kind() == reflect.Pointer {
		if root.IsNil() {
			root.Set(reflect.New(root.Type().Elem()))
		}
		root = root.Elem()
	}
	switch {
	case root.Kind() == reflect.Struct:
		plan, err := planOf(root.Type())
		if err != nil {
			return fmt.Errorf("kvconf: %w: %w", ErrType, err)
		}
		d.into = &structTarget{plan: plan, root: root, seen: make([]int32, len(plan.fields))}
		return nil
	case root.Kind() == reflect.Interface && root.NumMethod() == 0:
		m := map[string]any{}
		root.Set(reflect.ValueOf(m))
		root = reflect.ValueOf(&m).Elem()
		fallthrough
	case root.Kind() == reflect.Map:
		c, err := builder{}.codec(root.Type(), false)
		if err != nil {
			return fmt.Errorf("kvconf: %w: %w", ErrType, err)
		}
		d.into = &mapTarget{codec: c, root: root}
		return nil
	}
	return fmt.Errorf("kvconf: %w: cannot decode into %T", ErrType, v)
}

// source decodes the text of a file.
func (d *decodeState) source(src string) {
	if isUTF16(src) {
		d.add(utf16Error(), false)
		return
	}
	d.src = src
	plain := isPlain(src)
	var ln line
	number := 0
	for pos := skipBOM(src); pos < len(src); pos = ln.next {
		number++
		bad := ln.scan(src, pos)
		if d.maxLine > 0 && ln.end-ln.start > d.maxLine {
			d.add(&Error{Line: number, Column: 1, Kind: ErrLineTooLong, Msg: fmt.Sprintf("the line is longer than %d bytes", d.maxLine)}, false)
			return
		}
		d.line, d.text = number, src[ln.start:ln.end]
		d.key = src[ln.keyStart:ln.keyEnd]
		if bad != nil {
			d.lineProblem(bad, ln.start)
			continue
		}
		if !ln.isSetting {
			continue
		}
		if bad := ln.badText(src, plain); bad != nil {
			d.lineProblem(bad, ln.start)
			if !d.tolerant {
				continue
			}
		}
		if d.value, bad = ln.value(src); bad != nil {
			d.lineProblem(bad, ln.start)
			continue
		}
		d.inQuotes, d.escaped = ln.quote != 0, ln.hasEscape
		d.keyAt, d.valueAt = ln.keyStart-ln.start, ln.valStart-ln.start
		d.into.put(d)
	}
}

// list decodes entries.
func (d *decodeState) list(entries []Entry) {
	for i := range entries {
		e := &entries[i]
		d.index = i
		d.item = item{
			key: e.Key, value: e.Value, inQuotes: e.Quoted, line: e.Line, keyColumn: e.KeyColumn, column: e.Column,
			text: e.text, escaped: e.escaped,
		}
		if e.bad != nil {
			d.lineProblem(e.bad, 0)
			if !d.tolerant {
				continue
			}
		}
		d.into.put(d)
	}
}

// before gives the keys of the settings before the current one, and their lines.
func (d *decodeState) before() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := range d.entries {
			e := &d.entries[i]
			if i == d.index || !yield(e.Key, e.Line) {
				return
			}
		}
		var ln line
		for pos, number := skipBOM(d.src), 1; pos < len(d.src) && number < d.line; pos, number = ln.next, number+1 {
			if ln.scan(d.src, pos); ln.isSetting && !yield(d.src[ln.keyStart:ln.keyEnd], number) {
				return
			}
		}
	}
}

// lineProblem reports what is wrong with the current line.
func (d *decodeState) lineProblem(bad *lineError, start int) {
	e := &Error{Line: d.line, Key: d.key, Kind: bad.kind, Msg: bad.msg, Column: columnOf(d.text, bad.at-start)}
	if !d.into.isSecret(d.key) {
		e.snippet(d.text)
	}
	d.add(e, bad.kind == ErrEncoding)
}

// unknown reports the key of the current item, which the target has no place for.
func (d *decodeState) unknown(msg, suggest string) {
	e := &Error{Line: d.line, Key: d.key, Kind: ErrUnknownKey, Msg: msg, Suggest: suggest, Column: d.columnOfKey()}
	if !d.into.isSecret(suggest) {
		e.snippet(d.text)
	}
	d.add(e, true)
}

// duplicate reports that the key of the current item was set before.
func (d *decodeState) duplicate(first int) {
	e := &Error{Line: d.line, Key: d.key, Kind: ErrDuplicateKey, Msg: "the key is set twice", FirstLine: first, Column: d.columnOfKey()}
	if first > 0 {
		e.Msg = fmt.Sprintf("the key is set twice, first in line %d", first)
	}
	if !d.secret {
		e.snippet(d.text)
	}
	d.add(e, true)
}

// invalid reports what is wrong with the value of the current item.
func (d *decodeState) invalid(err error) {
	bad, ok := err.(*valueError)
	if !ok {
		bad = &valueError{kind: ErrValue, msg: err.Error(), err: err}
	}
	e := &Error{Line: d.line, Key: d.key + bad.path, Kind: bad.kind, Msg: bad.msg, Suggest: bad.suggest, Err: bad.err, Column: d.columnOfValue(bad.offset)}
	if d.secret || bad.secret {
		e.Msg, e.Err = "the value is not valid; it is not shown, since it is a secret", nil
	} else {
		e.snippet(d.text)
	}
	d.add(e, bad.kind == ErrUnknownKey || bad.kind == ErrDuplicateKey)
}

// add keeps a problem. A lenient one is a finding in tolerant mode.
func (d *decodeState) add(e *Error, lenient bool) {
	e.File = d.file
	list := &d.errs
	if lenient && d.tolerant {
		list = &d.findings
	}
	if len(d.errs)+len(d.findings) >= maxProblems {
		d.dropped++
		if len(*list) > 0 {
			return
		}
	}
	*list = append(*list, e)
}

// result gives the errors of the run, or nil.
func (d *decodeState) result() error {
	if d.dropped > 0 {
		more := &Error{File: d.file, Msg: fmt.Sprintf("there are %d more problems", d.dropped)}
		if len(d.errs) > 0 {
			more.Kind = d.errs[len(d.errs)-1].Kind
			d.errs = append(d.errs, more)
		} else {
			more.Kind = d.findings[len(d.findings)-1].Kind
			d.findings = append(d.findings, more)
		}
	}
	if len(d.errs) > 0 {
		return d.errs
	}
	return nil
}

// unknownKey gives the message for a key without a place, and the key that was probably meant.
func unknownKey(key string, names []string) (msg, suggest string) {
	if suggest = nearest(key, slices.Values(names)); suggest != "" {
		return "unknown key; did you mean " + suggest + "?", suggest
	}
	return "unknown key", ""
}

// names gives the names of an object, sorted.
func (o *object) names() []string { return slices.Sorted(maps.Keys(o.index)) }
