package hostmetrics

import (
	"context"
	"net"
	"strings"
)

// readInterfaces lists the network interfaces with their addresses.
func (c *Collector) readInterfaces(context.Context) (func(*Static), error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var list []Interface
	for _, i := range all[:min(len(all), maxEntries)] {
		n := Interface{Index: i.Index, Name: clip(i.Name, maxName), MTU: i.MTU, MAC: i.HardwareAddr.String()}
		if i.Flags != 0 {
			n.Flags = strings.Split(i.Flags.String(), "|")
		}
		addrs, _ := i.Addrs() // an interface that has just gone has none
		for _, a := range addrs[:min(len(addrs), maxEntries)] {
			n.Addresses = append(n.Addresses, a.String())
		}
		list = append(list, n)
	}
	return func(s *Static) { s.Interfaces = list }, nil
}
