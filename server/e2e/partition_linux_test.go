package e2e_test

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// network is a network of its own for one program, with a line to this one.
type network struct {
	name        string
	here, there string // the addresses of the line's ends
}

// newNetwork makes a network, which goes with the test. Its name and its addresses are of no other, not even of a test that was
// killed and has left its own.
func newNetwork(t *testing.T) *network {
	t.Helper()
	here := freeSubnet(t).Next()
	n := &network{name: "jk-" + strings.ToLower(rand.Text()[:8]), here: here.String(), there: here.Next().String()}
	if out, err := exec.Command("ip", "netns", "add", n.name).CombinedOutput(); err != nil {
		t.Skipf("SKIP: no network of its own can be made here: %v: %s", err, out)
	}
	t.Cleanup(func() { command(t, "ip", "netns", "del", n.name) }) // and the line with it
	command(t, "ip", "link", "add", n.name, "type", "veth", "peer", "name", "line", "netns", n.name)
	command(t, "ip", "addr", "add", n.here+"/30", "dev", n.name)
	command(t, "ip", "link", "set", n.name, "up")
	command(t, "ip", "-n", n.name, "addr", "add", n.there+"/30", "dev", "line")
	command(t, "ip", "-n", n.name, "link", "set", "line", "up")
	command(t, "ip", "-n", n.name, "link", "set", "lo", "up")
	return n
}

// freeSubnet returns the first address of a subnet of four that no line of this machine has.
func freeSubnet(t *testing.T) netip.Addr {
	t.Helper()
	lines, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		b := []byte(rand.Text())
		subnet := netip.AddrFrom4([4]byte{198, 18 + b[0]&1, b[1]<<3 | b[2]&7, b[3] << 3}) // RFC 2544: nobody has them
		if !slices.ContainsFunc(lines, func(a net.Addr) bool {
			line, ok := a.(*net.IPNet)
			return ok && line.Contains(subnet.Next().AsSlice())
		}) {
			return subnet
		}
	}
	t.Fatal("each subnet that was tried is in use")
	return netip.Addr{}
}

// drop has packets vanish that come into the network, and those that leave it too if it is to be both, without a word to
// anybody.
func (n *network) drop(t *testing.T, both bool) {
	t.Helper()
	rules := "table ip cut { chain in { type filter hook input priority 0; policy drop; }; "
	if both {
		rules += "chain out { type filter hook output priority 0; policy drop; }; "
	}
	command(t, "ip", "netns", "exec", n.name, "nft", rules+"}")
}

// mend ends a drop.
func (n *network) mend(t *testing.T) {
	t.Helper()
	command(t, "ip", "netns", "exec", n.name, "nft", "delete", "table", "ip", "cut")
}

func command(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// A firewall that swallows every packet between agents and server, or only those to the agents: both ends notice within three
// heartbeats of the last that they hear, and when it is gone the agents are back. An agent behind another line notices nothing.
func TestPartition(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIP: networks are made by root")
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIP: %s is not installed", tool)
		}
	}
	bothWays, oneWay, whole := newNetwork(t), newNetwork(t), newNetwork(t)
	bin := build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "github.com/jkstack/jkframe/v2/examples/example-agent")
	dir := t.TempDir()
	_, port, err := net.SplitHostPort(freeport.Addr(t))
	if err != nil {
		t.Fatal(err)
	}
	apiListen := freeport.Addr(t)
	conf := write(t, filepath.Join(dir, "server.conf"), "listen = 0.0.0.0:%s\ninsecure = true\nagents.auth = open\napi.listen = %s\ndata_dir = data\n", port, apiListen)
	server := run(t, dir, executable(bin, "agent-server"), "run", "--conf", conf)
	a := api{addr: apiListen, tokenFile: filepath.Join(dir, "data", "api.token")}
	agents := make(map[*network]*program)
	for _, n := range []*network{bothWays, oneWay, whole} {
		home := t.TempDir()
		conf := write(t, filepath.Join(home, "agent.conf"), "basic.id = %s\nbasic.server = %s:%s\nbasic.log.target = stdout\n", n.name, n.here, port)
		agents[n] = run(t, home, "ip", "netns", "exec", n.name, executable(bin, "example-agent"), "run", "--conf", conf)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("server:\n%s", server.log())
			for n, p := range agents {
				t.Logf("agent %s:\n%s", n.name, p.log())
			}
		}
	})
	eventually(t, "all agents connected", func() bool { return a.agents() == 3 })

	begin := time.Now()
	bothWays.drop(t, true)
	oneWay.drop(t, false)
	for _, n := range []*network{bothWays, oneWay} {
		eventually(t, "the agent notices", func() bool { return strings.Contains(agents[n].log(), "connection lost") })
	}
	eventually(t, "the server notices that a line is dead", func() bool {
		return strings.Contains(server.log(), "agent left id="+bothWays.name)
	})
	// What the agent says passes the other one until it gives up.
	eventually(t, "the server notices that nobody hears it", func() bool { return a.agents() == 1 })
	// Heartbeats take half a minute each way, on a busy machine more; without them it is TCP that gives up, after a quarter of an hour.
	if took := time.Since(begin); took > 5*time.Minute {
		t.Errorf("noticed after %v", took)
	} else {
		t.Logf("noticed after %v", took.Round(time.Millisecond))
	}

	bothWays.mend(t)
	oneWay.mend(t)
	// An attempt that began before goes on, and TCP asks again for it.
	took := eventually(t, "the agents are back", func() bool { return a.agents() == 3 })
	t.Logf("back after %v", took.Round(time.Millisecond))
	for _, n := range []*network{bothWays, oneWay, whole} {
		if status, _ := a.get("/api/foo/" + n.name); status != http.StatusOK {
			t.Errorf("foo of %s: status %d", n.name, status)
		}
	}
	if n := strings.Count(agents[whole].log(), "connected"); n != 1 {
		t.Errorf("the agent on the line that was whole has connected %d times:\n%s", n, agents[whole].log())
	}
}
