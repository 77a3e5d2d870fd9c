package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// must runs a command to its end, and returns what it prints.
func must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// The commands of docs/security.md, as an operator gives them: from a fresh server to an agent that is enrolled, asked,
// revoked, and enrolled again, with all of it in the audit log.
func TestSecurityPage(t *testing.T) {
	bin := build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "github.com/jkstack/jkframe/v2/examples/example-agent")
	serverBin, agentBin := executable(bin, "agent-server"), executable(bin, "example-agent")
	home, host := t.TempDir(), t.TempDir()
	agents, api := freeport.Addr(t), freeport.Addr(t)
	write(t, filepath.Join(home, "server.conf"), "listen = %s\napi.listen = %s\ndata_dir = data\nagents.auth = enrolled\n", agents, api)
	write(t, filepath.Join(host, "agent.conf"), "# of host-17\nbasic.id = host-17\nbasic.server = %s\n", agents)
	server := run(t, home, serverBin, "run", "--conf", "server.conf")
	eventually(t, "start of the server", func() bool { return strings.Contains(server.log(), "server started") })

	stranger := run(t, host, agentBin, "run", "--conf", "agent.conf")
	eventually(t, "refusal of a stranger", func() bool { return strings.Contains(stranger.log(), "cannot connect") })
	stranger.kill()

	enroll := func(more ...string) {
		t.Helper()
		line := must(t, home, append([]string{serverBin, "token", "create", "--conf", "server.conf", "--type", "example-agent", "--server", "wss://" + agents}, more...)...)
		args := append(strings.Fields(line), "--conf", "agent.conf", "--again")
		if out := must(t, host, append([]string{agentBin}, args[1:]...)...); !strings.Contains(out, `enrolled as "host-17"`) {
			t.Fatal(out)
		}
	}
	enroll()
	text, err := os.ReadFile(filepath.Join(host, "agent.conf"))
	if want := fmt.Sprintf("# of host-17\nbasic.id = host-17\nbasic.server = wss://%s\n", agents); err != nil || string(text) != want {
		t.Errorf("config %q, %v, want %q", text, err, want)
	}
	token := strings.TrimSpace(must(t, home, serverBin, "token", "create", "--conf", "server.conf", "--api", "--role", "read", "--name", "grafana"))
	foo := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+api+"/api/foo/host-17", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	agent := run(t, host, agentBin, "run", "--conf", "agent.conf")
	eventually(t, "the enrolled agent", func() bool { return foo() == http.StatusOK })

	must(t, home, serverBin, "agent", "revoke", "host-17", "--conf", "server.conf")
	eventually(t, "the end of its connection", func() bool { return foo() == http.StatusNotFound })
	eventually(t, "the agent learns why", func() bool { return strings.Contains(agent.log(), "revoked") })
	agent.kill()
	if out := must(t, home, serverBin, "agent", "list", "--conf", "server.conf"); !strings.Contains(out, "revoked") {
		t.Error(out)
	}
	enroll("--id", "host-17")
	run(t, host, agentBin, "run", "--conf", "agent.conf")
	eventually(t, "the agent that was enrolled again", func() bool { return foo() == http.StatusOK })

	out := must(t, home, serverBin, "audit", "verify", "--conf", "server.conf")
	if !strings.HasPrefix(out, "ok: ") {
		t.Error(out)
	}
	_, mark, _ := strings.Cut(strings.TrimSpace(out), "\n")
	must(t, home, serverBin, "audit", "verify", "--conf", "server.conf", "--at", mark)
}
