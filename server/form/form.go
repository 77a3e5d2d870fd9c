package form

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/rest"
)

const (
	// maxValues is how many values a form may have, maxText how many bytes they may have all together.
	maxValues = 32 << 10
	maxText   = 4 << 20

	// pace is how many bytes a client must send in patience, or all that is left. Only the time counts in which it is waited for: a
	// client may well be held up by the agent that its file goes to.
	pace     = 32 << 10
	patience = 30 * time.Second
)

// errSlow is a client that sends less: what a form holds on to would be its as long as it likes.
var errSlow = rest.Errorf(http.StatusRequestTimeout, "bad param: the form comes too slowly: less than %d bytes in %v", pace, patience)

// Form is what came.
type Form struct {
	url.Values
	File *File // nil if there is none

	rest    func() error // reads what has not come yet; nil if that is nothing
	release func()       // gives back what the body is read with; nil if that is nothing
}

// Close removes the file. Nothing more of the form is read.
func (f *Form) Close() {
	if f.release != nil {
		f.release()
		f.release, f.rest = nil, nil
	}
	if f.File != nil {
		f.File.Close()
	}
}

// Read reads the form of a request: the query, and a body that is urlencoded or multipart. The file is the part with the
// name "file", which store keeps; nil if there is to be none. The caller closes the form. The errors are answers.
func Read(w http.ResponseWriter, r *http.Request, store *Store) (*Form, error) {
	f, err := Begin(w, r, store)
	if err != nil {
		return nil, err
	}
	if err := f.Finish(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Begin is Read for who need not wait for a large file: it returns when that has begun. The form has the values that came before
// the file, and [Form.Finish] reads the rest.
func Begin(w http.ResponseWriter, r *http.Request, store *Store) (*Form, error) {
	query, err := url.ParseQuery(lenient(r.URL.RawQuery))
	if err != nil {
		return nil, Bad("%v", err)
	}
	f := &Form{Values: query}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Header.Get("Content-Type") == "":
		return f, nil
	case err != nil:
		return nil, Bad("content type: %v", err)
	}
	rd := &reader{body: newBody(w, r), form: f, store: store}
	switch kind {
	case "application/x-www-form-urlencoded":
		err = rd.urlencoded()
	case "multipart/form-data":
		err = rd.multipart(params["boundary"])
	default:
		err = rest.Errorf(http.StatusUnsupportedMediaType, "bad param: content type %q", kind)
	}
	if err != nil {
		f.Close()
		return nil, answer(err)
	}
	return f, nil
}

// Finish reads the rest of a form that has begun, as far as it has not been read.
func (f *Form) Finish() error {
	if f.rest == nil {
		return nil
	}
	read := f.rest
	f.rest = nil
	return answer(read())
}

// answer makes an answer of what is wrong with a form.
func answer(err error) error {
	if e := (*rest.Error)(nil); err == nil || errors.As(err, &e) {
		return err
	}
	return Bad("%v", err)
}

// Bad is the answer to a parameter that cannot be used.
func Bad(format string, args ...any) *rest.Error {
	return rest.Errorf(http.StatusBadRequest, "bad param: "+format, args...)
}

// body is that of a request. The server's own deadline is made for short requests: here a client may take long, but must
// go on.
type body struct {
	io.Reader
	rc   *http.ResponseController
	came int           // bytes since the client was given time
	left time.Duration // of that time
}

func newBody(w http.ResponseWriter, r *http.Request) *body {
	return &body{Reader: r.Body, rc: http.NewResponseController(w), left: patience}
}

func (b *body) Read(p []byte) (int, error) {
	begin := time.Now()
	_ = b.rc.SetReadDeadline(begin.Add(b.left)) // where it cannot be moved, it holds
	n, err := b.Reader.Read(p)
	b.left -= time.Since(begin)
	if b.came += n; b.came >= pace {
		b.came, b.left = 0, patience
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errSlow
	}
	return n, err
}

// reader reads one form.
type reader struct {
	body  *body
	form  *Form
	store *Store
	text  int64 // bytes of values up to now
	n     int   // values up to now
}

func (rd *reader) urlencoded() error {
	text, err := io.ReadAll(io.LimitReader(rd.body, maxText+1))
	if err != nil {
		return err
	}
	if len(text) > maxText {
		return errTooLarge
	}
	values, err := url.ParseQuery(lenient(string(text)))
	for name, list := range values {
		rd.form.Values[name] = append(rd.form.Values[name], list...)
	}
	return err
}

// lenient escapes the percent signs that begin no escape. Callers of the field write a comma within a list as %2c%, without
// escaping it once more.
func lenient(raw string) string {
	if !strings.Contains(raw, "%") {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		rest := raw[i:]
		switch {
		case rest[0] != '%':
			b.WriteByte(rest[0])
		case len(rest) >= 4 && strings.EqualFold(rest[:4], "%2c%") && !isEscape(rest[3:]):
			b.WriteString("%252c%25")
			i += 3
		case isEscape(rest):
			b.WriteByte('%')
		default:
			b.WriteString("%25")
		}
	}
	return b.String()
}

// isEscape reports whether a text begins with a percent sign and two hexadecimal digits.
func isEscape(s string) bool {
	if len(s) < 3 {
		return false
	}
	_, err := strconv.ParseUint(s[1:3], 16, 8)
	return err == nil
}

// errTooLarge is a form that holds more than anybody needs.
var errTooLarge = rest.Errorf(http.StatusRequestEntityTooLarge, "bad param: the form is too large")

// add takes a value.
func (rd *reader) add(name string, from io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(from, maxText-rd.text+1))
	if err != nil {
		return err
	}
	rd.n++
	if rd.text += int64(len(text) + len(name)); rd.text > maxText || rd.n > maxValues {
		return errTooLarge
	}
	rd.form.Add(name, string(text))
	return nil
}

// Need returns a value that must be there, in the words of the field.
func (f *Form) Need(name string) (string, error) {
	if !f.Has(name) {
		return "", rest.Errorf(http.StatusBadRequest, "Missing [%s]", name)
	}
	return f.Get(name), nil
}

// NeedFile returns the file, which must be there.
func (f *Form) NeedFile() (*File, error) {
	if f.File == nil {
		return nil, Bad("file:http: no such file")
	}
	return f.File, nil
}

// List returns all values of a name, without a lone empty one.
func (f *Form) List(name string) []string {
	if all := f.Values[name]; !slices.Equal(all, []string{""}) {
		return all
	}
	return nil
}

// CSV returns the members of a value between commas, in which %2c stands for a comma.
func (f *Form) CSV(name string) []string {
	var all []string
	for _, text := range f.Values[name] {
		for one := range strings.SplitSeq(text, ",") {
			if one != "" {
				all = append(all, comma.Replace(one))
			}
		}
	}
	return all
}

// comma is written in three ways: the last one stands in the documents of the field.
var comma = strings.NewReplacer("%2c%", ",", "%2c", ",", "%2C", ",")

// Seconds returns a time in whole seconds, from 1 to most; def when it is not given.
func (f *Form) Seconds(name string, def, most time.Duration) (time.Duration, error) {
	text := f.Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil:
		return 0, Bad("%s:%v", name, err)
	case n < 1 || n > int64(most/time.Second):
		return 0, Bad("%s:%d is not within 1 and %d", name, n, int64(most/time.Second))
	}
	return time.Duration(n) * time.Second, nil
}

// Bool returns a value that is yes or no; no when it is not given.
func (f *Form) Bool(name string) (bool, error) {
	text := f.Get(name)
	if text == "" {
		return false, nil
	}
	v, err := strconv.ParseBool(text)
	if err != nil {
		return false, Bad("%s:%q is neither true nor false", name, text)
	}
	return v, nil
}

// Number returns a whole number from 0 to most in the given base; def when it is not given.
func (f *Form) Number(name string, base int, def, most uint64) (uint64, error) {
	text := f.Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(text, base, 64)
	switch {
	case err != nil:
		return 0, Bad("%s:%v", name, err)
	case n < 0 || uint64(n) > most:
		return 0, Bad("%s:%s is not within 0 and %s", name, text, strconv.FormatUint(most, base))
	}
	return uint64(n), nil
}

// String is for tests and logs: the names, never the values, which may be secrets.
func (f *Form) String() string { return fmt.Sprintf("form of %d names", len(f.Values)) }
