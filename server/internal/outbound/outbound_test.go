package outbound_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server/internal/outbound"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t *testing.T, members ...string) *outbound.Client {
	t.Helper()
	l, err := outbound.Parse(members)
	if err != nil {
		t.Fatal(err)
	}
	c := outbound.New(l)
	t.Cleanup(c.Close)
	return c
}

// A caller reaches what the operator has listed, and nothing else.
func TestCheck(t *testing.T) {
	c := client(t, "files.example.com", "*.mirror.example.com:8443", "10.1.0.0/16", "[2001:db8::1]:80")
	for address, allowed := range map[string]bool{
		"http://files.example.com/x":          true,
		"https://FILES.example.com.:99/x":     true,
		"https://a.mirror.example.com:8443/":  true,
		"https://a.mirror.example.com/":       false,
		"https://mirror.example.com:8443/":    false,
		"http://10.1.2.3:9/x":                 true,
		"http://10.2.2.3/x":                   false,
		"http://[::ffff:10.1.2.3]/x":          true,
		"http://[2001:db8::1]/":               true,
		"https://[2001:db8::1]/":              false,
		"http://127.0.0.1/":                   false,
		"http://169.254.169.254/latest":       false,
		"http://files.example.com@evil.test/": false,
		"http://user:pw@files.example.com/":   false,
		"http://files.example.com.evil.test/": false,
		"file:///etc/passwd":                  false,
		"gopher://files.example.com/":         false,
		"//files.example.com/":                false,
		"http:///x":                           false,
		"http://files.example.com:port/":      false,
		"http://evilfiles.example.com/":       false,
		"http://files.example.com%00.evil/":   false,
		"http://0x7f000001/":                  false,
		"http://2130706433/":                  false,
	} {
		if _, err := c.Check(address); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := client(t).Check("http://example.com/"); err == nil {
		t.Error("an empty list allows something")
	}
	for _, bad := range []string{"", "*", "http://x", "a*b", "x/y", "*.*.com"} {
		if _, err := outbound.Parse([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// A name that is allowed and leads to this machine reaches nothing, unless the address is allowed as well; nor does a redirect.
func TestGet(t *testing.T) {
	var target string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, target, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/no":
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	byName := "http://localhost:" + at.Port()
	target = byName + "/"
	for _, tt := range []struct {
		members []string
		address string
		want    string // in the error, "" for none
	}{
		{[]string{"localhost"}, byName, "not allowed"},
		{[]string{"localhost", "127.0.0.0/8", "::1"}, byName, ""},
		{[]string{"127.0.0.1"}, s.URL, ""},
		{[]string{"127.0.0.1:1"}, s.URL, "not allowed"},
		{[]string{"127.0.0.1"}, s.URL + "/moved", "not allowed"},
		{[]string{"127.0.0.1"}, s.URL + "/loop", "too many redirects"},
		{[]string{"127.0.0.1"}, s.URL + "/no?secret=1", "status 404"},
	} {
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client(t, tt.members...).Get(t.Context(), u)
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q %s: %v, want %q", tt.members, tt.address, err, tt.want)
		}
	}
}
