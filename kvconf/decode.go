package kvconf

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
)

// DefaultMaxLine is the longest line in bytes that a Decoder takes when MaxLine was not called.
const DefaultMaxLine = 16 << 20

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
	run := decodeState{Decoder: d}
	defer func() { d.findings = run.found.all() }()
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
	src    string // the text, unless there are entries
	at     int    // where the current line starts in src, or the index of the current entry
	into   target
	errors problems
	found  problems // in tolerant mode
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
		e := utf16Error()
		e.File = d.file
		d.errors.add(e)
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
			msg := fmt.Sprintf("the line is longer than %d bytes", d.maxLine)
			d.errors.add(&Error{File: d.file, Line: number, Column: 1, Kind: ErrLineTooLong, Msg: msg})
			return
		}
		d.at, d.line, d.text = pos, number, src[ln.start:ln.end]
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
		d.at = i
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

// problems gives the list for a problem, which in tolerant mode is a finding when it is lenient, or nil when the list is full.
func (d *decodeState) problems(lenient bool) *problems {
	p := &d.errors
	if lenient && d.tolerant {
		p = &d.found
	}
	if p.full() {
		return nil
	}
	return p
}

// problem gives an error about the current item, with the line unless that holds a secret.
func (d *decodeState) problem(kind error, column int, secret bool, msg string) *Error {
	e := &Error{File: d.file, Line: d.line, Column: column, Key: d.key, Kind: kind, Msg: msg}
	if !secret {
		e.snippet(d.text)
	}
	return e
}

// lineProblem reports what is wrong with the current line.
func (d *decodeState) lineProblem(bad *lineError, start int) {
	if p := d.problems(bad.kind == ErrEncoding); p != nil {
		p.add(d.problem(bad.kind, columnOf(d.text, bad.at-start), d.into.isSecret(d.key), bad.msg))
	}
}

// unknown reports that the plan has no place for the key of the current item. Of the key, path is what the plan may know.
func (d *decodeState) unknown(plan *plan, path string) {
	if p := d.problems(true); p != nil {
		msg, suggest := plan.unknown(path)
		e := d.problem(ErrUnknownKey, d.columnOfKey(), plan.isSecret(path) || plan.isSecret(suggest), msg)
		e.Suggest = suggest
		p.add(e)
	}
}

// duplicate reports that the key of the current item was set before.
func (d *decodeState) duplicate(first int) {
	p := d.problems(true)
	if p == nil {
		return
	}
	msg := "the key is set again"
	if first > 0 {
		msg = fmt.Sprintf("the key is set again; it was first set in line %d", first)
	}
	e := d.problem(ErrDuplicateKey, d.columnOfKey(), d.secret, msg)
	e.FirstLine = first
	p.add(e)
}

// invalid reports what is wrong with the value of the current item.
func (d *decodeState) invalid(err error) {
	bad, ok := err.(*valueError)
	if !ok {
		bad = &valueError{kind: ErrValue, msg: err.Error(), err: err}
	}
	p := d.problems(bad.kind == ErrUnknownKey || bad.kind == ErrDuplicateKey)
	if p == nil {
		return
	}
	secret := d.secret || bad.secret
	e := d.problem(bad.kind, d.columnOfValue(bad.offset), secret, bad.msg)
	e.Key += bad.path
	e.Suggest, e.Err = bad.suggest, bad.err
	if secret {
		e.Msg, e.Err = "the value is not valid; it is not shown, since it is a secret", nil
	}
	p.add(e)
}

// result gives the errors of the run, or nil.
func (d *decodeState) result() error {
	if all := d.errors.all(); len(all) > 0 {
		return all
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
