//go:build !linux

package load

import (
	"net"
	"net/netip"
)

// connect connects from an address of this host.
func connect(from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)),
		Timeout:   patience,
		KeepAlive: -1,
	}
	return d.Dial("tcp4", to.String())
}
