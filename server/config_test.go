package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/server"
)

func writeConfig(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoadConfig(t *testing.T) {
	t.Setenv("SERVER_NAME", "srv-7")
	cfg, err := server.LoadConfig(writeConfig(t, `
# everything that can be said
id = $SERVER_NAME
listen = 127.0.0.1:3081
api.listen = [::1]:3080
api.token_file = /run/secrets/token
api.hosts = agents.example.com, agents
api.timeout = 90s
insecure = false
connect_limit = 100
data_dir = /var/lib/agent-server
log.target = stdout,file
log.dir = /var/log
log.size = 10M
log.rotate = 7
log.level = debug
`))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.ID != "srv-7" || cfg.Listen != "127.0.0.1:3081" || cfg.Insecure || cfg.ConnectLimit != 100 || cfg.DataDir != "/var/lib/agent-server" {
		t.Errorf("got %+v", cfg)
	}
	api := cfg.API
	if api.Listen != "[::1]:3080" || api.TokenFile != "/run/secrets/token" || api.Timeout != 90*time.Second ||
		!slices.Equal(api.Hosts, []string{"agents.example.com", "agents"}) {
		t.Errorf("api %+v", api)
	}
	if cfg.Log.Size != 10_000_000 || cfg.Log.Dir != "/var/log" || !slices.Equal(cfg.Log.Target, []string{"stdout", "file"}) {
		t.Errorf("log %+v", cfg.Log)
	}
}

// The host has a name even where the shell does not tell it.
func TestLoadConfigHostname(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	t.Setenv("HOSTNAME", "") // restored at the end
	os.Unsetenv("HOSTNAME")
	cfg, err := server.LoadConfig(writeConfig(t, "id = $HOSTNAME\n"))
	if err != nil || cfg.ID != host {
		t.Errorf("id %q, %v, want %q", cfg.ID, err, host)
	}
}

// Whoever wrote the file must be told the place of all of his mistakes at once.
func TestLoadConfigRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // place, key and the beginning of the words of each
	}{
		{"unknown key", "lisen = 1", []string{":1:1: lisen: unknown key; did you mean listen?"}},
		{"twice", "id = a\nid = b", []string{":2:1: id: the key is set again; it was first set in line 1"}},
		{"no number", "connect_limit = many", []string{`:1:17: connect_limit: "many" is not a whole number`}},
		{"no duration", "api.timeout = 5", []string{":1:15: api.timeout: "}},
		{"negative timeout", "api.timeout = -5s", []string{":1:15: api.timeout: -5s is less than nothing"}},
		{"unset variable", "id = $NOBODY_HAS_SET_THIS", []string{":1:6: id: "}},
		{"certificate without key", "tls.cert = x.pem", []string{":1:12: tls.cert: tls.cert and tls.key need each other"}},
		{"name with scheme", "tls.names = a,https://b", []string{`:1:13: tls.names: "https://b" is neither the name of a host nor an IP address`}},
		{"auth", "agents.auth = maybe", []string{`:1:15: agents.auth: "maybe" is neither open nor enrolled`}},
		{"short certificates", "agents.cert_life = 1m", []string{":1:20: agents.cert_life: 1m0s is less than an hour"}},
		{"small audit log", "audit.size = 1k\naudit.age = -1h", []string{
			":1:14: audit.size: 1000 bytes are less than 1 MB", ":2:13: audit.age: -1h0m0s is less than nothing",
		}},
		{"no port", "listen = 127.0.0.1", []string{":1:10: listen: address 127.0.0.1: missing port in address"}},
		{"bad port", "listen = 127.0.0.1:99999", []string{":1:10: listen: address 99999: invalid port"}},
		{"host with scheme", "api.hosts = a.example.com,https://b.example.com", []string{`:1:13: api.hosts: "https://b.example.com" is no host name`}},
		{"log target", "log.target = printer", []string{`:1:14: log.target: "printer" is unknown`}},
		{"all at once", "listen = x\nlog.level = loud\nfoo = 1", []string{":1:10: listen: address x", ":2:13: log.level: ", ":3:1: foo: unknown key"}},
		{"with a line that is none", "listen\napi.timeout = -5s", []string{":1:1: ", ":2:15: api.timeout: -5s is less"}},
		{"one value, one error", "agents.cert_life = soon\nconnect_limit = many\naudit.size = 1k", []string{
			":1:20: agents.cert_life: ", ":2:17: connect_limit: ", ":3:14: audit.size: 1000 bytes are less",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := writeConfig(t, tt.text)
			_, err := server.LoadConfig(file)
			var all kvconf.Errors
			if !errors.As(err, &all) || len(all) != len(tt.want) {
				t.Fatalf("error %v, want %d errors with places", err, len(tt.want))
			}
			for i, want := range tt.want {
				if got := all[i].Error(); !strings.HasPrefix(got, file+want) {
					t.Errorf("error %q, want %q", got, want)
				}
			}
		})
	}
}
