package kvconf

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// A Dialect is a way to write files.
type Dialect int

const (
	// DialectNative writes "key = value", with quotes around values that need them. It can hold every value.
	DialectNative Dialect = iota
	// DialectField writes what agents of the field read as well: "key=value", no quotes, no "#" within a value, lines
	// below 64 KiB. What it cannot hold is an error.
	DialectField
)

// maxFieldLine is the longest line in bytes that agents of the field read; they end there without a word.
const maxFieldLine = 64<<10 - 3 // with "=" and the line end

// An Encoder writes Go values as files.
type Encoder struct {
	w       io.Writer
	dialect Dialect
}

// NewEncoder gives an encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder { return &Encoder{w: w} }

// Dialect sets how values are written. By default, it is DialectNative.
func (e *Encoder) Dialect(d Dialect) *Encoder {
	e.dialect = d
	return e
}

// Encode writes v, a struct, a map or a pointer to one, in one call to Write, and only when all of it can be written: what
// cannot comes back as Errors that wrap ErrUnwritable. Structs are written in the order of their fields, each setting below
// the text of its desc tag, maps in the order of their keys.
func (e *Encoder) Encode(v any) error {
	text, err := appendAll(nil, v, e.dialect)
	if err != nil {
		return err
	}
	if _, err := e.w.Write(text); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// An encodeState is one run of an encoder.
type encodeState struct {
	dialect Dialect
	out     []byte
	errs    Errors
}

func appendAll(dst []byte, v any, dialect Dialect) ([]byte, error) {
	root := reflect.ValueOf(v)
	for root.Kind() == reflect.Pointer && !root.IsNil() {
		root = root.Elem()
	}
	run := encodeState{dialect: dialect, out: dst}
	switch root.Kind() {
	case reflect.Struct:
		plan, err := planOf(root.Type())
		if err != nil {
			return nil, fmt.Errorf("kvconf: %w: %w", ErrType, err)
		}
		run.out = slices.Grow(run.out, plan.size)
		run.structure(plan, root)
	case reflect.Map:
		c, err := builder{}.codec(root.Type(), false)
		if err != nil {
			return nil, fmt.Errorf("kvconf: %w: %w", ErrType, err)
		}
		run.entries("", c, root)
	default:
		return nil, fmt.Errorf("kvconf: %w: cannot encode %T, only a struct, a map or a pointer to one", ErrType, v)
	}
	if len(run.errs) > 0 {
		return nil, run.errs
	}
	return run.out, nil
}

func (e *encodeState) structure(p *plan, root reflect.Value) {
	var headings []heading // of sections whose first settings were left out
	for i := range p.fields {
		f := &p.fields[i]
		if len(f.headings) > 0 {
			headings = append(headings, f.headings...)
		}
		v := f.in(root, false)
		if !v.IsValid() || f.omitempty && isEmpty(v) {
			continue
		}
		if len(headings) > 0 || f.comment != "" {
			e.comments(f, headings)
			headings = nil
		}
		if f.codec.shape == shapeMap && f.codec.asSection(p, f, v) {
			e.entries(f.key+".", f.codec, v)
			continue
		}
		e.setting(f.key, f.codec, v)
	}
}

// comments writes what is said of f and of the sections that it starts, behind an empty line.
func (e *encodeState) comments(f *field, headings []heading) {
	start := len(e.out)
	if start > 0 {
		e.out = append(e.out, '\n')
	}
	blank := len(e.out)
	for _, h := range headings {
		if strings.HasPrefix(f.key, h.prefix) {
			e.out = append(e.out, h.comment...)
		}
	}
	e.out = append(e.out, f.comment...)
	if len(e.out) == blank {
		e.out = e.out[:start]
	}
}

// isEmpty reports whether the option omitempty leaves v out: zero values, and lists and maps without members.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

// setting writes "key = value".
func (e *encodeState) setting(key string, c *codec, v reflect.Value) {
	start := len(e.out)
	e.out = append(e.out, key...)
	if e.dialect == DialectField {
		e.out = append(e.out, '=')
	} else {
		e.out = append(e.out, " = "...)
	}
	at := len(e.out)
	text, form, err := c.appendValue(e.out, v, e.dialect)
	if err != nil {
		e.out = e.out[:start]
		e.fail(key, err)
		return
	}
	e.out = text
	if form == formAbsent {
		e.out = e.out[:start]
		return
	}
	if e.dialect == DialectField {
		e.checkField(key, e.out[at:], form)
	} else if len(e.out) == at {
		e.out = e.out[:at-1] // no blank behind the "="
	} else if form == formQuoted || c.mayNeedQuotes() && needsQuotes(e.out[at:]) {
		e.out = appendQuoted(e.out[:at], string(e.out[at:]))
	}
	e.out = append(e.out, '\n')
}

// checkField refuses what agents of the field would not read as it is.
func (e *encodeState) checkField(key string, text []byte, f form) {
	why := ""
	switch {
	case strings.IndexByte(key, '#') >= 0:
		why = `the key has a "#"`
	case bytes.IndexByte(text, '#') >= 0:
		why = `it has a "#"`
	case firstBad(string(text)) >= 0:
		why = "it has a control character or is not UTF-8"
	case f == formQuoted || needsQuotes(text):
		why = "it needs quotes"
	case len(key)+len(text) > maxFieldLine:
		why = "it is longer than 64 KiB"
	}
	if why != "" {
		e.fail(key, unwritable("agents of the field cannot read the value: %s", why))
	}
}

func (e *encodeState) fail(key string, err error) {
	bad := err.(*valueError)
	e.errs = append(e.errs, &Error{Key: key, Kind: bad.kind, Msg: bad.msg, Err: bad.err})
}
