package form_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
)

func store(t testing.TB, size int64) *form.Store {
	dir := t.TempDir()
	return form.NewStore(func() (string, error) { return dir, nil }, size)
}

func read(t testing.TB, s *form.Store, kind string, body io.Reader) (*form.Form, error) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?q=1", body)
	r.Header.Set("Content-Type", kind)
	return form.Read(httptest.NewRecorder(), r, s)
}

// multi makes a form of a value, a file, and another value.
func multi(t testing.TB, content, value string) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.WriteField("before", value); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreateFormFile("file", `C:\dir\name`)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err == nil {
		err = w.WriteField("after", value)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

// A file of any size comes as it was sent, and one that breaks off does not come at all.
func TestFile(t *testing.T) {
	s := store(t, 8<<20)
	for _, n := range []int{0, 1, 1 << 20, 1<<20 + 1, 5<<20 + 3} {
		content := strings.Repeat("0123456789abcde\n", n/16+1)[:n]
		kind, body := multi(t, content, "value")
		f, err := read(t, s, kind, bytes.NewReader(body))
		if err != nil {
			t.Fatal(n, err)
		}
		got, err := io.ReadAll(io.NewSectionReader(f.File, 0, f.File.Len()))
		sum, _ := f.File.SHA256()
		if err != nil || string(got) != content || sum != sha256.Sum256(got) || f.File.Name != "name" || f.Get("after") != "value" || f.Get("before") != "value" || f.Get("q") != "1" {
			t.Errorf("%d: %d bytes, %v, %q", n, len(got), err, f.File.Name)
		}
		f.Close()
		for _, cut := range []int{len(body) - 1, len(body) - 300, len(body) / 2} {
			if cut > 0 && cut < len(body)-60 {
				if f, err := read(t, s, kind, bytes.NewReader(body[:cut])); err == nil {
					t.Errorf("%d: of %d bytes, %d are taken for a whole form: %v", n, len(body), cut, f)
				}
			}
		}
	}
	kind, body := multi(t, strings.Repeat("x", 9<<20), "")
	var answer *rest.Error
	if _, err := read(t, s, kind, bytes.NewReader(body)); !errors.As(err, &answer) || answer.Code != http.StatusServiceUnavailable {
		t.Errorf("more than there is room: %v", err)
	}
	kind, body = multi(t, strings.Repeat("x", 7<<20), "")
	f, err := read(t, s, kind, bytes.NewReader(body)) // what was refused has given its room back
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// What a client sends as a form comes back as it was, whatever is in it.
func FuzzMultipart(f *testing.F) {
	s := store(f, 8<<20)
	f.Add("content", "value")
	f.Add("\r\n--", "--\r\n\x00")
	f.Add(strings.Repeat("\r\n--boundary", 9000), "")
	f.Fuzz(func(t *testing.T, content, value string) {
		kind, body := multi(t, content, value)
		v, err := read(t, s, kind, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		got, err := io.ReadAll(io.NewSectionReader(v.File, 0, v.File.Len()))
		if err != nil || string(got) != content || v.Get("before") != value || v.Get("after") != value {
			t.Errorf("%q %q became %q %q %q, %v", content, value, got, v.Get("before"), v.Get("after"), err)
		}
	})
}

// A body that is no form is refused, with an answer for whoever sent it.
func FuzzRead(f *testing.F) {
	s := store(f, 1<<20)
	kind, body := multi(f, "content", "value")
	f.Add(kind, body)
	f.Add("application/x-www-form-urlencoded", []byte("a=1&b=%2c%zz&c=%2C"))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\n\r\n--x--"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		v, err := read(t, s, kind, bytes.NewReader(body))
		if err != nil {
			if answer := (*rest.Error)(nil); !errors.As(err, &answer) || answer.Code < 400 {
				t.Errorf("error %v", err)
			}
			return
		}
		v.Close()
	})
}

// Values that are escaped come back.
func FuzzCSV(f *testing.F) {
	f.Add("a", "b,c")
	f.Fuzz(func(t *testing.T, one, two string) {
		if one == "" || two == "" || strings.ContainsAny(one+two, "%,") {
			return
		}
		body := url.Values{"args": {one + "," + two}}.Encode()
		v, err := read(t, nil, "application/x-www-form-urlencoded", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := v.CSV("args"); len(got) != 2 || got[0] != one || got[1] != two {
			t.Errorf("%q, %q became %q", one, two, got)
		}
	})
}
