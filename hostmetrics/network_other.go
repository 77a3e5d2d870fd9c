//go:build !linux

package hostmetrics

import (
	"context"
	"net/netip"
	"slices"

	"github.com/shirou/gopsutil/v3/net"
)

// readTraffic says what each network interface has moved.
func (c *Collector) readTraffic(ctx context.Context) (func(*Usage), error) {
	all, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	var list []InterfaceUsage
	for _, i := range all[:min(len(all), maxEntries)] {
		list = append(list, InterfaceUsage{clip(i.Name, maxName), i.BytesSent, i.BytesRecv, i.PacketsSent, i.PacketsRecv})
	}
	return func(u *Usage) { u.Interfaces = list }, nil
}

// listConnections lists the connections of the given types.
func (c *Collector) listConnections(ctx context.Context, types []string, perSecond int) ([]Connection, error) {
	pace := newPace(perSecond)
	var list []Connection
	for _, t := range types {
		if !slices.Contains(connectionTypes(), t) {
			continue
		}
		some, err := bounded(ctx, c, "connections "+t, func(ctx context.Context) ([]net.ConnectionStat, error) {
			return net.ConnectionsWithContext(ctx, t)
		})
		if err != nil {
			return nil, err
		}
		for _, s := range some[:min(len(some), MaxConnections-len(list))] {
			n := Connection{
				FD: s.Fd, PID: s.Pid, Type: t, Status: s.Status,
				Local: address(s.Laddr), Remote: address(s.Raddr),
			}
			if n.Status == "" {
				n.Status = "NONE"
			}
			list = append(list, n)
		}
		if err := pace.wait(ctx, len(some)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// address writes the end of a connection; one of a socket that has none is "".
func address(a net.Addr) string {
	ip, err := netip.ParseAddr(a.IP)
	if err != nil {
		return clip(a.IP, maxName) // the path of a Unix socket
	}
	return endpoint(netip.AddrPortFrom(ip, uint16(a.Port)))
}
