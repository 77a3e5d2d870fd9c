package wire

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What can be wrong with a frame or with a value. errors.Is finds one of them in every [*Error].
var (
	ErrSyntax    = errors.New("invalid JSON")
	ErrUTF8      = errors.New("invalid UTF-8") // a text frame that holds it ends its connection with status 1007
	ErrDepth     = errors.New("nested too deep")
	ErrDuplicate = errors.New("duplicate name")
	ErrNoType    = errors.New("no type")
	ErrNoPayload = errors.New("no payload")
	ErrMismatch  = errors.New("frame of another type")
	ErrKind      = errors.New("wrong kind of value")
	ErrRange     = errors.New("number out of range")
	ErrLength    = errors.New("too long")
	ErrMemory    = errors.New("too much memory for its length")
	ErrValue     = errors.New("invalid value")
)

// An Error says what is wrong with a frame, and where. Its text is safe to log: what it repeats of the peer's bytes
// is quoted and short.
type Error struct {
	Type   Type   // the number of the message, -1 if the frame broke before its type was read
	Name   string // the name of the message, "" for one that is not known
	Field  string // the path of the field, such as hm_dynamic_rep.process[3].id, "" for the frame as a whole
	Offset int    // bytes from the start of the frame, -1 when encoding
	Err    error  // one of the sentinels of this package
	Cause  error  // what a method of an author's own type returned, if that is the reason
	Detail string // what was found and what is due, may be ""
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("wire: ")
	if e.Name != "" {
		b.WriteString(e.Name)
		b.WriteByte(' ')
	}
	if e.Type != unknownType {
		b.WriteByte('(')
		b.WriteString(strconv.Itoa(int(e.Type)))
		b.WriteString("): ")
	}
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	if e.Cause != nil {
		b.WriteString(": ")
		b.WriteString(quote(e.Cause.Error(), 200))
	}
	if e.Offset >= 0 {
		b.WriteString(" (at byte ")
		b.WriteString(strconv.Itoa(e.Offset))
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns the sentinel, and the cause if there is one.
func (e *Error) Unwrap() []error {
	if e.Cause != nil {
		return []error{e.Err, e.Cause}
	}
	return []error{e.Err}
}

// inField puts the name of the object's member in which the error was found before its path.
func (e *Error) inField(name string) {
	switch {
	case e.Field == "", e.Field[0] == '[':
		e.Field = quoteName(name) + e.Field
	default:
		e.Field = quoteName(name) + "." + e.Field
	}
}

// inElement puts the index of the array's element in which the error was found before its path.
func (e *Error) inElement(i int) {
	index := "[" + strconv.Itoa(i) + "]"
	if e.Field != "" && e.Field[0] != '[' {
		index += "."
	}
	e.Field = index + e.Field
}

// quoteName returns a name as it may stand in a path: plain ones as they are, others quoted.
func quoteName(name string) string {
	const most = 64
	plain := name != "" && len(name) <= most
	for i := 0; plain && i < len(name); i++ {
		c := name[i]
		plain = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '$'
	}
	if plain {
		return name
	}
	return strconv.Quote(cut(name, most))
}

// quote returns s as it is if it is printable and at most most bytes long, and else quoted and cut.
func quote(s string, most int) string {
	printable := len(s) <= most
	for _, r := range s {
		if !printable {
			break
		}
		printable = strconv.IsPrint(r) && r != utf8.RuneError
	}
	if printable {
		return s
	}
	return strconv.Quote(cut(s, most))
}

// cut shortens s to at most most bytes, at the start of a rune.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
