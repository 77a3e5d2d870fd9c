package kvconf

import (
	"fmt"
	"reflect"
)

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
	for d.at = skipBOM(src); d.at < len(src); d.at = ln.next {
		d.line++
		bad := ln.scan(src, d.at)
		if d.maxLine > 0 && ln.end-ln.start > d.maxLine {
			msg := fmt.Sprintf("the line is longer than %d bytes", d.maxLine)
			d.errors.add(&Error{File: d.file, Line: d.line, Column: 1, Kind: ErrLineTooLong, Msg: msg})
			return
		}
		if ln.isSetting || bad != nil {
			d.setting(src, &ln, bad, plain)
		}
	}
}

// setting decodes a line that is a setting, or reports what is wrong with it.
func (d *decodeState) setting(src string, ln *line, bad *lineError, plain bool) {
	d.text = src[ln.start:ln.end]
	d.key = src[ln.keyStart:ln.keyEnd]
	if bad == nil && !plain {
		if bad = ln.badText(src); bad != nil && d.tolerant {
			d.lineProblem(bad, ln.start)
			bad = nil
		}
	}
	if bad == nil {
		d.value, bad = ln.value(src)
	}
	if bad != nil {
		d.lineProblem(bad, ln.start)
		return
	}
	d.inQuotes, d.escaped = ln.quote != 0, ln.hasEscape
	d.keyAt, d.valueAt = ln.keyStart-ln.start, ln.valStart-ln.start
	d.into.put(d)
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
	e.Err = bad.err
	if bad.object != nil {
		e.Msg, e.Suggest = unknownKey(bad.name, bad.object.names())
	}
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

// report takes the unknown and duplicate names within a JSON value.
func (d *decodeState) report(e *valueError) { d.invalid(e) }

// once reports the current key when it is among the keys, and adds it.
func (d *decodeState) once(keys map[string]int) map[string]int {
	if keys == nil {
		keys = map[string]int{}
	}
	if first, ok := keys[d.key]; ok {
		d.duplicate(first)
	} else {
		keys[d.key] = d.line
	}
	return keys
}
