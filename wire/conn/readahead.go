package conn

import "io"

// readAhead makes few large reads of the many small ones that the buffer of an idle connection allows. It borrows a page for
// a read, and gives it back when what was read is used up. An error stays. The zero value is ready.
type readAhead struct {
	page *[]byte // nil unless rest is in use
	rest []byte
	err  error // comes after rest
}

// any reports whether something was read ahead.
func (a *readAhead) any() bool { return len(a.rest) > 0 || a.err != nil }

// read reads into p from what was read ahead, or from r.
func (a *readAhead) read(r io.Reader, p []byte) (n int, err error) {
	if len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if len(p) >= page {
			n, a.err = r.Read(p)
			return n, a.err
		}
		a.page = pages.get()
		n, a.err = r.Read((*a.page)[:page])
		a.rest = (*a.page)[:n]
	}
	n = copy(p, a.rest)
	a.rest = a.rest[n:]
	if len(a.rest) > 0 {
		return n, nil
	}
	if a.page != nil {
		pages.put(a.page)
		a.page = nil
	}
	return n, a.err
}
