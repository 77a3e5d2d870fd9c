package libagent

import (
	"context"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/mem"
)

// hostFacts are what a host says of itself that does not change while it is up. What cannot be found out stays empty.
type hostFacts struct {
	once            sync.Once
	name            string
	platform        string
	platformVersion string
	kernel          string
	arch            string
	cpu             string
	cpus            uint64
	memory          uint64 // bytes
}

func (h *hostFacts) load(ctx context.Context) {
	h.once.Do(func() {
		h.name, _ = os.Hostname()
		h.platform, h.platformVersion = platform(ctx)
		h.kernel, _ = host.KernelVersionWithContext(ctx)
		h.arch, _ = host.KernelArch()
		if infos, err := cpu.InfoWithContext(ctx); err == nil && len(infos) > 0 {
			h.cpu = infos[0].ModelName
		}
		h.cpus = uint64(runtime.NumCPU())
		if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
			h.memory = m.Total
		}
	})
}

// come is what the agent says first on a connection with this local address.
func (ag *Agent) come(ctx context.Context, local net.Addr) wire.ComePayload {
	h := &ag.host
	h.load(ctx)
	ip, mac := localInterface(local)
	return wire.ComePayload{
		ID: ag.ID(), Name: ag.app.Name(), Version: ag.app.Version(),
		IP: ip, MAC: mac,
		HostName: h.name, OS: runtime.GOOS, Platform: h.platform, PlatformVersion: h.platformVersion,
		Crash:         ag.crashToTell(),
		KernelVersion: h.kernel, Arch: h.arch, CPU: h.cpu, CPUCore: h.cpus, Memory: h.memory,
		Features: ag.features, Ack: wire.AckVersion,
	}
}

// localInterface returns the address that the server is reached from, and the hardware address of its interface, ""
// for loopback.
func localInterface(local net.Addr) (ip net.IP, mac string) {
	tcp, ok := local.(*net.TCPAddr)
	if !ok {
		return nil, ""
	}
	ifs, _ := net.Interfaces()
	for _, i := range ifs {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(tcp.IP) {
				return tcp.IP, i.HardwareAddr.String()
			}
		}
	}
	return tcp.IP, ""
}

// nameTimeout is how long the start of an agent waits for the servers of names.
const nameTimeout = 3 * time.Second

// outgoingIP returns the address that a server would be reached from. Nothing is sent for it. Where there is no route
// yet, it is the first address of the host that is not loopback.
func outgoingIP(server string) (string, bool) {
	if c, err := (&net.Dialer{Timeout: nameTimeout}).DialContext(context.Background(), "udp", server); err == nil {
		defer c.Close()
		if u, ok := c.LocalAddr().(*net.UDPAddr); ok {
			return u.IP.String(), true
		}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return n.IP.String(), true
		}
	}
	return "", false
}
