package server_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
)

// paths are an address for each route.
func paths(f *fixture) map[string]string {
	all := make(map[string]string)
	for pattern := range f.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		all[strings.ReplaceAll(path, "{id}", "x")] = method
	}
	return all
}

// No route answers a stranger, not even with the news that it does not exist.
func TestEveryRouteNeedsToken(t *testing.T) {
	f := start(t, server.Config{API: server.APIConfig{Timeout: 50 * time.Millisecond}}) // the agent answers nothing
	f.agent(t, "x", "other-agent")
	all := paths(f)
	for _, want := range []string{"/api/info/server", "/api/agents", "/api/agents/x", "/api/foo/x", "/api/openapi.json", "/metrics"} {
		if all[want] == "" {
			t.Errorf("no route %s among %v", want, all)
		}
	}
	all["/nope"], all["/"] = "GET", "GET"
	for path, method := range all {
		for _, authorization := range []string{
			"", "Bearer", "Bearer ", "Bearer x", "Basic " + f.token, f.token, "Bearer " + f.token + "x", "Bearer " + f.token[1:],
			"Bearer " + strings.ToUpper(f.token), "Bearer " + f.token + " x",
		} {
			resp, body := f.request(t, method, path, "Authorization", authorization)
			if resp.StatusCode != 401 || body != `{"code":401,"msg":"a valid bearer token is needed"}` {
				t.Errorf("%s %s with %q: %d %s", method, path, authorization, resp.StatusCode, body)
			}
			if got := resp.Header.Get("WWW-Authenticate"); got != `Bearer realm="agent-server"` {
				t.Errorf("WWW-Authenticate %q", got)
			}
		}
		for _, authorization := range []string{"Bearer " + f.token, "bearer " + f.token, "Bearer  " + f.token + " "} {
			if resp, body := f.request(t, method, path, "Authorization", authorization); resp.StatusCode == 401 {
				t.Errorf("%s %s with %q: %s", method, path, authorization, body)
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if resp, body := f.request(t, "GET", path, "Authorization", "", "Host", "any.example.com"); resp.StatusCode != 200 {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
	if strings.Contains(f.logs.String(), f.token) {
		t.Error("the token is in the log")
	}
}

// A web page that an operator visits must not reach the API under a name of its own, nor with the operator's help.
func TestHostAndOrigin(t *testing.T) {
	f := start(t, server.Config{API: server.APIConfig{Hosts: []string{"Agents.example.com"}}})
	const foreignHost, foreignPage = "this host name is not in api.hosts", "requests from other web pages are refused"
	for _, tt := range []struct {
		host, origin string
		want         string // "" for an answer
	}{
		{"127.0.0.1:13080", "", ""},
		{"127.0.0.1", "", ""},
		{"[::1]:13080", "", ""},
		{"[::1]", "", ""},
		{"192.0.2.1:80", "", ""},
		{"localhost:13080", "", ""},
		{"LOCALHOST", "", ""},
		{"localhost.", "", ""},
		{"agents.example.com", "", ""},
		{"AGENTS.EXAMPLE.COM:443", "", ""},
		{"agents.example.com", "https://agents.example.com", ""},
		{"127.0.0.1:13080", "http://127.0.0.1:13080", ""},
		{"", "", foreignHost},
		{"evil.example.com", "", foreignHost},
		{"evil.example.com:13080", "", foreignHost},
		{"agents.example.com.evil.com", "", foreignHost},
		{"xlocalhost", "", foreignHost},
		{"127.0.0.1.evil.com", "", foreignHost},
		{"localhost@evil.com", "", foreignHost},
		{"127.0.0.1:13080", "http://evil.example.com", foreignPage},
		{"127.0.0.1:13080", "http://127.0.0.1:8080", foreignPage},
		{"127.0.0.1:13080", "null", foreignPage},
		{"127.0.0.1:13080", "file://", foreignPage},
		{"agents.example.com", "https://example.com", foreignPage},
	} {
		header := []string{"Host", tt.host}
		if tt.origin != "" {
			header = append(header, "Origin", tt.origin)
		}
		resp, body := f.request(t, "GET", "/api/agents", header...)
		switch {
		case tt.want == "" && resp.StatusCode != 200:
			t.Errorf("Host %q, Origin %q: %d %s", tt.host, tt.origin, resp.StatusCode, body)
		case tt.want != "" && (resp.StatusCode != 403 || body != `{"code":403,"msg":"`+tt.want+`"}`):
			t.Errorf("Host %q, Origin %q: %d %s, want %q", tt.host, tt.origin, resp.StatusCode, body, tt.want)
		}
	}
}

// The token is made once, for its owner alone, and is a good one.
func TestTokenIsMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "deep")
	first := start(t, server.Config{DataDir: dir})
	if got, want := first.TokenFile(), filepath.Join(dir, "api.token"); got != want {
		t.Errorf("token file %q, want %q", got, want)
	}
	if len(first.token) != 43 {
		t.Errorf("a token of %d characters, want 43 (256 bits)", len(first.token))
	}
	first.stop()
	second := start(t, server.Config{DataDir: dir})
	if second.token != first.token {
		t.Error("the second start made another token")
	}
	other := start(t, server.Config{})
	if other.token == first.token {
		t.Error("two servers have the same token")
	}
	if runtime.GOOS == "windows" {
		return // who may read a file is not in its mode
	}
	for name, want := range map[string]fs.FileMode{dir: 0o700, first.TokenFile(): 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("the folder holds %q, %v", left, err)
	}
}

// Servers that start at the same moment agree on one token.
func TestTokenIsMadeOnce(t *testing.T) {
	cfg := server.Config{DataDir: t.TempDir()}
	var (
		mu     sync.Mutex
		tokens []string
		all    sync.WaitGroup
	)
	for range 20 {
		all.Go(func() {
			srv, err := server.New(cfg)
			if err != nil {
				t.Error(err)
				return
			}
			f := &fixture{Server: srv}
			b, err := os.ReadFile(srv.TokenFile())
			if err != nil {
				t.Error(err)
				return
			}
			f.token = strings.TrimSpace(string(b))
			f.get(t, "/api/agents", 200, `{"code":0,"payload":[]}`)
			mu.Lock()
			defer mu.Unlock()
			tokens = append(tokens, f.token)
		})
	}
	all.Wait()
	if slices.Sort(tokens); len(slices.Compact(tokens)) != 1 {
		t.Errorf("tokens %q", tokens)
	}
}

// A token that somebody else could have read, or could guess, is none.
func TestTokenRefused(t *testing.T) {
	const good = "0123456789abcdef0123456789abcdef"
	for _, tt := range []struct {
		name, text string
		mode       fs.FileMode
		want       string
	}{
		{"good", good, 0o600, ""},
		{"read-only", good + "\r\n", 0o400, ""},
		{"readable by all", good, 0o644, "can be read by others (mode 0644): run \"chmod 600 "},
		{"readable by the group", good, 0o640, "can be read by others (mode 0640)"},
		{"writable by others", good, 0o602, "can be read by others (mode 0602)"},
		{"empty", "", 0o600, "holds 0 characters, a token has at least 16"},
		{"short", "secret\n", 0o600, "holds 6 characters, a token has at least 16"},
		{"several lines", good + "\n" + good, 0o600, "holds characters that no HTTP header can carry"},
		{"binary", good + "\x00", 0o600, "holds characters that no HTTP header can carry"},
		{"huge", strings.Repeat("x", 5000), 0o600, "has more than 4096 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.mode&0o077 != 0 {
				t.Skip("modes say nothing here")
			}
			file := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := server.New(server.Config{DataDir: t.TempDir(), API: server.APIConfig{TokenFile: file}})
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), good):
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		if _, err := server.New(server.Config{DataDir: t.TempDir(), API: server.APIConfig{TokenFile: t.TempDir()}}); err == nil {
			t.Error("a folder was taken for a token")
		}
	})
}
