package hostmetrics

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Connection is one connection or socket.
type Connection struct {
	FD     uint32 // of the process
	PID    int32  // one of those that have it, 0 if that is not known
	Type   string // tcp4, tcp6, udp4, udp6, unix
	Local  string // address and port, or a path
	Remote string // address and port
	Status string // LISTEN, ESTABLISHED, …; NONE for what has no states
}

// ConnectionQuery chooses connections. The zero value means all, as fast as they come.
type ConnectionQuery struct {
	// Kinds are tcp, tcp4, tcp6, udp, udp4, udp6, unix, inet, inet4, inet6, all; others choose nothing. By default, all.
	Kinds []string

	// PerSecond is how many are looked at in a second, to spread the work. By default, as many as come.
	PerSecond int
}

// Connections lists connections and sockets, [MaxConnections] at most, of the network name space of this process. It fails when
// they cannot be had, or when ctx ends.
func (c *Collector) Connections(ctx context.Context, q ConnectionQuery) ([]Connection, error) {
	types := ConnectionTypes(q.Kinds...)
	if len(q.Kinds) == 0 {
		types = ConnectionTypes("all")
	}
	if len(types) == 0 {
		return nil, nil
	}
	list, err := c.listConnections(ctx, types, q.PerSecond)
	if err != nil {
		return nil, err
	}
	left := texts(maxText)
	for i := range list {
		if list[i].Type == "unix" {
			list[i].Local = left.take(list[i].Local, maxName)
		}
	}
	return list, nil
}

// ConnectionTypes returns the types of connections that kinds mean, sorted, each once: tcp is tcp4 and tcp6.
func ConnectionTypes(kinds ...string) []string {
	var types []string
	for _, k := range kinds {
		switch k {
		case "tcp4", "tcp6", "udp4", "udp6", "unix":
			types = append(types, k)
		case "tcp", "udp":
			types = append(types, k+"4", k+"6")
		case "inet4", "inet6":
			types = append(types, "tcp"+k[4:], "udp"+k[4:])
		case "inet":
			types = append(types, "tcp4", "tcp6", "udp4", "udp6")
		case "all":
			types = append(types, "tcp4", "tcp6", "udp4", "udp6", "unix")
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// endpoint writes an address as agents of the field do: without brackets, without a port that is none, and one of IPv4 in one of IPv6 as
// what it is.
func endpoint(a netip.AddrPort) string {
	b := a.Addr().Unmap().AppendTo(make([]byte, 0, 48))
	if a.Port() != 0 {
		b = strconv.AppendUint(append(b, ':'), uint64(a.Port()), 10)
	}
	return string(b)
}

// pace spreads work over time.
type pace struct {
	perSecond int // 0: as fast as it goes
	done      int
	begin     time.Time
}

func newPace(perSecond int) *pace { return &pace{perSecond: max(perSecond, 0), begin: time.Now()} }

// wait counts work that was done and waits until it may go on: a tenth of a second of it may be done at once.
func (p *pace) wait(ctx context.Context, n int) error {
	p.done += n
	if p.perSecond == 0 {
		return ctx.Err()
	}
	due := time.Duration(float64(p.done) / float64(p.perSecond) * float64(time.Second))
	if ahead := due - time.Since(p.begin); ahead > 100*time.Millisecond {
		return sleep(ctx, ahead)
	}
	return ctx.Err()
}
