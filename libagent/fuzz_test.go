package libagent_test

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/libagent"
)

// No text panics, and what is flattened lies within the text.
func FuzzTree(f *testing.F) {
	for _, s := range []string{"a: 1\nb:\n  c: [1, 2]\n", "{\"a\": {\"b\": [1, {\"c\": null}]}}", "a: &x 1\nb: *x\n", "? [1]\n: 2\n", "a: |\n  x\n  y\n", "\ufeffa: 1\n", "--- \n...\n", "a: !!binary aGk=\n", "<<: {a: 1}\n"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, isJSON bool) {
		entries, err := libagent.TreeEntries(data, isJSON)
		if err != nil {
			return
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2
		for _, e := range entries {
			if e.Line < 1 || e.Line > lines || e.Column < 1 {
				t.Errorf("%q stands at %d:%d of %d lines", e.Key, e.Line, e.Column, lines)
			}
		}
	})
}

// An edit of a YAML or JSON file changes the one setting and nothing else, or is refused.
func FuzzEdit(f *testing.F) {
	for _, s := range []string{"basic:\n  id:\n  server: s\n", "basic: {id: 'a', server: s}\n", "{\"basic\": {\"server\": \"s\"}}", "basic.server: s # x\n", "basic:\n  id: \"a\\\"b\"\n  server: s\n", "id: |\n  a\nserver: s\n", "basic:\n- 1\n", "basic:\n  id: a b\n   c\n"} {
		f.Add([]byte(s), false, "agent-1")
		f.Add([]byte(s), true, "agent-1")
	}
	f.Fuzz(func(t *testing.T, data []byte, isJSON bool, value string) {
		edited, err := libagent.SetInTree(data, isJSON, "basic.id", value)
		if err != nil {
			return
		}
		others := func(data []byte) []string {
			entries, err := libagent.TreeEntries(data, isJSON)
			if err != nil {
				t.Fatalf("the edited file cannot be read: %v\n%q\n%q", err, data, edited)
			}
			return texts(entries)
		}
		if before, after := others(data), others(edited); !slices.Equal(before, after) {
			t.Errorf("editing %q into %q changed other settings: %q, %q", data, edited, before, after)
		}
	})
}

// texts returns all settings but the id.
func texts(entries []kvconf.Entry) []string {
	var all []string
	for _, e := range entries {
		if e.Key != "basic.id" {
			all = append(all, e.Key+"="+e.Value)
		}
	}
	return all
}

// A completed address can be dialled, and completing it again changes nothing.
func FuzzServerAddr(f *testing.F) {
	for _, s := range []string{"a", "a:1", "[::1]", "[::1]:2", "::1", "", ":1", "a:", "a:b", "[a", "http://a", "a b:1", "a:99999", "[fe80::1%eth0]:1", "[::%#]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, err := libagent.ServerAddr(s)
		if err != nil {
			return
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil || host == "" || port == "" {
			t.Errorf("%q became %q", s, addr)
		}
		u := url.URL{Scheme: "ws", Host: addr, Path: "/x"}
		if parsed, err := url.Parse(u.String()); err != nil || parsed.Host != addr || parsed.Path != "/x" {
			t.Errorf("%q becomes the URL %q: %v", s, u.String(), err)
		}
		if again, err := libagent.ServerAddr(addr); again != addr || err != nil {
			t.Errorf("%q became %q and then %q, %v", s, addr, again, err)
		}
	})
}

func TestMatchHost(t *testing.T) {
	for _, tt := range []struct {
		pattern, host string
		want          bool
	}{
		{"example.com", "EXAMPLE.com", true}, {"*.example.com", "a.example.com", true}, {"*.example.com", "a.b.example.com", true},
		{"*.example.com", "example.com", false}, {"*.example.com", ".example.com", false}, {"*.example.com", "aexample.com", false},
		{"example.com", "a.example.com", false}, {"*", "a", false}, {"", "a", false},
	} {
		if got := libagent.MatchHost(tt.pattern, tt.host); got != tt.want {
			t.Errorf("MatchHost(%q, %q) = %v: whoever an agent goes to owns its host", tt.pattern, tt.host, got)
		}
	}
}
