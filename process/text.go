package process

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// maxLine is how many bytes of a line are waited for before its encoding is judged.
const maxLine = 8 << 10

// Text is a writer that hands on what it gets, with lines that are text in the old encoding of the console turned into UTF-8:
// GBK, and on Windows the console's own code page. The zero value is of no use; see [NewText].
//
// Each line is judged by itself, once it is there: valid UTF-8 stays as it is, and so does what is not text of the other encoding
// either, or has zero bytes anywhere before it. A character that is split over two writes comes out whole. What is plain ASCII is
// handed on at once.
type Text struct {
	w      io.Writer
	old    encoding.Encoding
	held   []byte // of a line that is not judged yet, from its first byte beyond ASCII on
	binary bool   // zero bytes were seen: nothing is text any more
}

// NewText makes a Text that writes to w.
func NewText(w io.Writer) *Text { return &Text{w: w, old: consoleEncoding()} }

// pending says whether something waits for the end of its line.
func (t *Text) pending() bool { return t != nil && len(t.held) > 0 }

// Write takes bytes of the output. All are taken, unless the writer below fails.
func (t *Text) Write(b []byte) (int, error) {
	total := len(b)
	if !t.binary && bytes.IndexByte(b, 0) >= 0 {
		t.binary = true
		if err := t.Close(); err != nil {
			return 0, err
		}
	}
	for len(b) > 0 {
		var err error
		if b, err = t.take(b); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// take takes some of b, and returns the rest.
func (t *Text) take(b []byte) ([]byte, error) {
	if t.binary || t.old == nil {
		_, err := t.w.Write(b)
		return nil, err
	}
	if len(t.held) == 0 {
		n := ascii(b)
		if n > 0 {
			_, err := t.w.Write(b[:n])
			return b[n:], err
		}
	}
	n := bytes.IndexAny(b, "\n\r") + 1
	if n == 0 {
		t.held = append(t.held, b...)
		if len(t.held) < maxLine {
			return nil, nil
		}
		return nil, t.Flush()
	}
	t.held = append(t.held, b[:n]...)
	return b[n:], t.emit(len(t.held))
}

// ascii is how many bytes b begins with that are the same in every encoding.
func ascii(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return len(b)
}

// Flush judges what is there of a line without waiting for its end; half a character goes on waiting for its other half.
func (t *Text) Flush() error {
	n := len(t.held)
	if n == 0 {
		return nil
	}
	if whole := n - cutUTF8(t.held); utf8.Valid(t.held[:whole]) {
		return t.emit(whole)
	}
	return t.emit(n - cutPair(t.held))
}

// Close hands on what is left, as it is if need be. The writer below is not closed.
func (t *Text) Close() error { return t.emit(len(t.held)) }

// emit hands on the first n bytes that were held.
func (t *Text) emit(n int) error {
	if n == 0 {
		return nil
	}
	out := t.held[:n]
	if !t.binary && !utf8.Valid(out[:n-cutUTF8(out)]) { // one whose end is missing is UTF-8 all the same
		out = t.decode(out)
	}
	_, err := t.w.Write(out)
	t.held = append(t.held[:0], t.held[n:]...)
	if cap(t.held) > 2*maxLine {
		t.held = bytes.Clone(t.held)
	}
	return err
}

// decode turns a line into UTF-8 if it is text of the old encoding.
func (t *Text) decode(line []byte) []byte {
	if !plausible(line) {
		return line
	}
	text, err := t.old.NewDecoder().Bytes(line)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return line
	}
	return text
}

// plausible says whether a line can be text of a double-byte encoding: half of its pairs at least are of the characters in daily use,
// whose bytes are both high, so that a few accented letters of Latin-1 are not taken for Chinese.
func plausible(line []byte) bool {
	common, rare := 0, 0
	for i := 0; i < len(line); i++ {
		if line[i] < utf8.RuneSelf {
			continue
		}
		i++
		if i == len(line) {
			break
		}
		if line[i] >= 0xA1 {
			common++
		} else {
			rare++
		}
	}
	return common > 0 && common >= rare
}

// cutUTF8 is how many bytes of a character of UTF-8 b ends with whose others are missing.
func cutUTF8(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// cutPair is 1 if b ends with the first byte of a pair.
func cutPair(b []byte) int {
	for i := 0; i < len(b); i++ {
		if b[i] < utf8.RuneSelf {
			continue
		}
		if i++; i == len(b) {
			return 1
		}
	}
	return 0
}
