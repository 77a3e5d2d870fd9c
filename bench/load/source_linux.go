package load

import (
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// socket is a connection as the kernel has it: package net asks for addresses that nobody wants, and makes a timer and a
// context for each, which is more than the rest of a simulated agent costs.
type socket struct {
	*os.File
	local, remote net.Addr
}

func (s *socket) LocalAddr() net.Addr  { return s.local }
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// connect connects from an address of this host.
func connect(from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := connectSocket(fd, from, to); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &socket{
		os.NewFile(uintptr(fd), "socket"), // which does not block, so that reads have deadlines
		net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), net.TCPAddrFromAddrPort(to),
	}, nil
}

// connectSocket connects a socket, which blocks until then: on this host that takes no time, unless a server is overrun.
func connectSocket(fd int, from netip.Addr, to netip.AddrPort) error {
	// The kernel chooses the port when it knows where the connection goes: one port serves several servers then.
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_TCP, unix.TCP_NODELAY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
		return os.NewSyscallError("connect", err)
	}
	return os.NewSyscallError("fcntl", unix.SetNonblock(fd, true))
}
