//go:build !linux

package hostmetrics

import (
	"context"
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
		some, err := net.ConnectionsWithContext(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, s := range some[:min(len(some), MaxConnections-len(list))] {
			n := Connection{
				FD: s.Fd, PID: s.Pid, Type: t, Status: s.Status,
				Local: endpoint(s.Laddr.IP, uint16(s.Laddr.Port)), Remote: endpoint(s.Raddr.IP, uint16(s.Raddr.Port)),
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
