package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/policy"
)

// Root is told what the agent finds that runs as another user: what it may not read it cannot use, and a link of that user leads root
// nowhere.
func TestPolicyCheckByRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root")
	}
	const service = 65534
	dir, err := os.MkdirTemp("", "policy") // not within a folder that is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf, file, secret := filepath.Join(dir, "agent.conf"), filepath.Join(dir, "policy.conf"), filepath.Join(dir, "secret")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(uid int, mode os.FileMode) func() {
		return func() {
			must(os.WriteFile(file, []byte(policy.Begin()), 0o600))
			must(os.Chown(file, uid, uid))
			must(os.Chmod(file, mode))
		}
	}
	must(os.Chown(dir, service, service))
	must(os.Chmod(dir, 0o755))
	must(os.WriteFile(secret, []byte("a-line-of-secrets\n"), 0o600))
	for name, tt := range map[string]struct {
		make func()
		want string
	}{
		"the agent's own":             {write(service, 0o600), ": ok\n"},
		"root's, for all to read":     {write(0, 0o644), ": ok\n"},
		"root's, for root to read":    {write(0, 0o600), "permission denied"},
		"another user's":              {write(65533, 0o644), "belongs to user 65533"},
		"a link to what is not his":   {func() { must(os.Symlink(secret, file)) }, "permission denied"},
		"a folder in place of a file": {func() { must(os.Mkdir(file, 0o755)) }, "no regular file"},
	} {
		for _, config := range []string{"", "basic.server = 127.0.0.1\n"} { // the policy may come first
			os.Remove(conf)
			if config != "" {
				must(os.WriteFile(conf, []byte(config), 0o644))
				must(os.Chown(conf, service, service))
			}
			os.Remove(file)
			tt.make()
			out, code := command(t, "policy", "check", "--conf", conf)
			if good := tt.want == ": ok\n"; good != (code == 0) || !strings.Contains(out, tt.want) || strings.Contains(out, "secrets") {
				t.Errorf("%s: code %d: %s", name, code, out)
			}
		}
	}
}
