package kvconf

import "strconv"

// any reads the next value as encoding/json does into an empty interface.
func (r *jsonReader) any() (any, error) {
	switch c := r.next(); {
	case c == '"':
		return r.string()
	case c == '[':
		return r.anyList()
	case c == '{':
		return r.anyObject()
	case c == '-' || c >= '0' && c <= '9':
		at := r.pos
		text, err := r.number()
		if err != nil {
			return nil, err
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, r.fail(at, "%s is too large for float64", shorten(text))
		}
		return f, nil
	}
	word, err := r.word()
	if err != nil || word == "null" {
		return nil, err
	}
	return word == "true", nil
}

func (r *jsonReader) anyList() (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	list := []any{}
	for {
		more, err := r.more(len(list) == 0, ']')
		if err != nil || !more {
			return list, err
		}
		x, err := r.any()
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
}

func (r *jsonReader) anyObject() (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	m := map[string]any{}
	path := len(r.path)
	for first := true; ; first = false {
		r.path = r.path[:path]
		more, err := r.more(first, '}')
		if err != nil || !more {
			return m, err
		}
		at := r.pos
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		if _, ok := m[name]; ok {
			r.tell(at, ErrDuplicateKey, "the name stands twice in the object")
		}
		if m[name], err = r.any(); err != nil {
			return nil, err
		}
	}
}

// skip reads over the next value and checks it.
func (r *jsonReader) skip() error {
	to := r.to
	r.to = nobody{}
	_, err := r.any()
	r.to = to
	return err
}

// nobody is told the problems of a value that is skipped.
type nobody struct{}

func (nobody) report(*valueError) {}
