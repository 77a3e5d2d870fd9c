package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// Strangers use up all files that the server may have open: who is connected is served, and as soon as some of them leave,
// others can come again.
func TestDescriptorsUsedUp(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("SKIP: no shell to set a limit with")
	}
	bin := build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "github.com/jkstack/jkframe/v2/examples/example-agent")
	dir := t.TempDir()
	listen, apiListen := freeport.Addr(t), freeport.Addr(t)
	conf := write(t, filepath.Join(dir, "server.conf"), "listen = %s\napi.listen = %s\ndata_dir = data\n", listen, apiListen)
	run(t, dir, "sh", "-c", fmt.Sprintf("ulimit -n 64; exec %q run --conf %q", executable(bin, "agent-server"), conf))
	a := api{addr: apiListen, tokenFile: filepath.Join(dir, "data", "api.token"), client: &http.Client{Transport: &http.Transport{}}}
	defer a.client.CloseIdleConnections()
	agent := func(id string) {
		home := t.TempDir()
		conf := write(t, filepath.Join(home, "agent.conf"), "basic.id = %s\nbasic.server = %s\nbasic.log.target = stdout\n", id, listen)
		run(t, home, executable(bin, "example-agent"), "run", "--conf", conf)
	}
	agent("honest")
	asked := func() bool {
		status, _ := a.get("/api/foo/honest")
		return status == http.StatusOK
	}
	eventually(t, "the agent is served", asked)
	var strangers []net.Conn
	defer func() {
		for _, c := range strangers {
			c.Close()
		}
	}()
	for range 100 { // those beyond the limit wait in the kernel
		c, err := net.Dial("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		strangers = append(strangers, c)
	}
	for range 20 {
		if !asked() {
			t.Error("the agent is not served while strangers hold all files")
		}
	}
	agent("late")
	for _, c := range strangers {
		c.Close()
	}
	strangers = nil
	eventually(t, "another agent has come", func() bool { return a.agents() == 2 })
}
