package kvconf

import (
	"reflect"
	"strings"
)

// A reporter takes the problems inside a value that need not end its decoding: unknown and duplicate names.
type reporter interface {
	report(*valueError)
}

// isNull reports whether s is the null that agents of the field write for what is not set.
func isNull(s string, inQuotes bool) bool { return s == "null" && !inQuotes }

// setText reads the text of a value into v. What the empty value and null mean is said in the documentation of the package.
func (c *codec) setText(v reflect.Value, s string, inQuotes bool, to reporter) error {
	switch c.shape {
	case shapeString:
		v.SetString(s)
		return nil
	case shapeText:
		if s == "" {
			c.setEmptyText(v)
			return nil
		}
		return c.setScalar(v, s)
	case shapeAny, shapeBytes:
		if isNull(s, inQuotes) {
			v.SetZero()
			return nil
		}
		return c.setScalar(v, s)
	case shapePointer:
		return c.setPointer(v, s, inQuotes, to)
	case shapeList:
		return c.setList(v, s, inQuotes, to)
	case shapeMap:
		if s == "" {
			v.Set(reflect.MakeMap(c.typ))
			return nil
		}
		return c.setJSONText(v, s, to)
	case shapeJSON, shapeStruct:
		if s == "" {
			return nil
		}
		return c.setJSONText(v, s, to)
	}
	if s == "" || isNull(s, inQuotes) {
		return nil
	}
	return c.setScalar(v, s)
}

// setEmptyText gives the empty text to a TextUnmarshaler. One that does not take it keeps what it held.
func (c *codec) setEmptyText(v reflect.Value) {
	p := reflect.New(c.typ)
	p.Elem().Set(v)
	if c.setScalar(p.Elem(), "") == nil {
		v.Set(p.Elem())
	}
}

func (c *codec) setPointer(v reflect.Value, s string, inQuotes bool, to reporter) error {
	if isNull(s, inQuotes) {
		v.SetZero()
		return nil
	}
	if s == "" && !c.elem.takesEmpty() {
		return nil
	}
	p := reflect.New(c.elem.typ)
	if s == "" && c.elem.shape == shapeText {
		if c.elem.setScalar(p.Elem(), s) == nil {
			v.Set(p)
		}
		return nil
	}
	if err := c.elem.setText(p.Elem(), s, inQuotes, to); err != nil {
		return err
	}
	v.Set(p)
	return nil
}

// takesEmpty reports whether the empty text is a value of c. For others it leaves the variable as it was.
func (c *codec) takesEmpty() bool {
	switch c.shape {
	case shapeString, shapeBytes, shapeText, shapeAny, shapeMap:
		return true
	case shapeList:
		return c.typ.Kind() == reflect.Slice
	}
	return false
}

func (c *codec) setList(v reflect.Value, s string, inQuotes bool, to reporter) error {
	isSlice := c.typ.Kind() == reflect.Slice
	switch {
	case isNull(s, inQuotes):
		if isSlice {
			v.SetZero()
		}
		return nil
	case s == "":
		if isSlice {
			v.Set(reflect.MakeSlice(c.typ, 0, 0))
		}
		return nil
	case !c.elem.isScalar() || c.looksLikeJSON(s):
		return c.setJSONText(v, s, to)
	}
	if list, ok := v.Addr().Interface().(*[]string); ok {
		*list = splitWords(s)
		return nil
	}
	return c.setWords(v, s, isSlice)
}

// splitWords gives the members of a comma separated list, without the blanks around them and without empty ones.
func splitWords(s string) []string {
	list := make([]string, 0, strings.Count(s, ",")+1)
	for s != "" {
		var word string
		word, s, _ = strings.Cut(s, ",")
		if word = trim(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// setWords reads a comma separated list into a slice or array.
func (c *codec) setWords(v reflect.Value, s string, isSlice bool) error {
	words := splitWords(s)
	list := v
	if isSlice {
		list = reflect.MakeSlice(c.typ, len(words), len(words))
	} else if len(words) != v.Len() {
		return badValue("the list has %d members, not %d", len(words), v.Len())
	}
	at := 0
	for i, word := range words {
		at += strings.Index(s[at:], word)
		if err := c.elem.setText(list.Index(i), word, false, nil); err != nil {
			return within(err, at)
		}
		at += len(word)
	}
	if isSlice {
		v.Set(list)
	}
	return nil
}

// hidden marks err as one whose text must not show the value.
func hidden(err error, secret bool) error {
	if e, ok := err.(*valueError); ok && secret {
		e.secret = true
	}
	return err
}

// within moves the place of err, which is within a part of the value, by the offset of the part.
func within(err error, offset int) error {
	if e, ok := err.(*valueError); ok {
		e.offset += offset
	}
	return err
}

// looksLikeJSON reports whether s, the text of a list of words, is a JSON array instead. For words that may start with a
// bracket themselves, such as [::1]:80, only an array of strings is one.
func (c *codec) looksLikeJSON(s string) bool {
	if s[0] != '[' {
		return false
	}
	elem := c.elem
	if elem.shape == shapePointer {
		elem = elem.elem
	}
	switch elem.shape {
	case shapeString, shapeBytes, shapeText:
	default:
		return true
	}
	first := trimLeft(s[1:])
	if after, ok := strings.CutPrefix(first, "null"); ok {
		first = trimLeft(after)
		if strings.HasPrefix(first, ",") {
			return true
		}
	}
	return strings.HasPrefix(first, `"`) || strings.HasPrefix(first, "]") && trimLeft(first[1:]) == ""
}
