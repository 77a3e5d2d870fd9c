package kvconf

import (
	"bytes"
	"fmt"
	"io"
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

// MaxLine sets the longest line in bytes, without its end; zero means no limit. By default, it is DefaultMaxLine. A longer line is an error,
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
	src, err := d.read()
	if err != nil {
		return err
	}
	run.source(src)
	return run.result()
}

// read gives the text of the reader, up to a line that is too long.
func (d *Decoder) read() (string, error) {
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
		if n == 0 || len(text)-lineStart-1 > d.maxLine {
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
