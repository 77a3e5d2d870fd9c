package conn

import "io"

// readAhead makes few large reads of the many small ones that the buffer of an idle connection allows. It borrows a
// page when the last read has filled all the room that it was given, so that there is likely to be more, and gives it
// back as soon as that is used up. An error stays. The zero value is ready.
type readAhead struct {
	likely bool
	page   *[]byte // nil unless rest is in use
	rest   []byte
	err    error // comes after rest
}

// read reads into p from what was read ahead, or from r.
func (a *readAhead) read(r io.Reader, p []byte) (n int, err error) {
	if len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if !a.likely || len(p) >= page {
			n, a.err = r.Read(p)
			a.likely = n == len(p)
			return n, a.err
		}
		if a.page == nil {
			a.page = pages.get()
		}
		n, a.err = r.Read((*a.page)[:page])
		a.likely = n == page
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
