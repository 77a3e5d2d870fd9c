package hostmetrics

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// inetSocket is a TCP or UDP socket.
type inetSocket struct {
	kind          string // tcp4, …
	local, remote netip.AddrPort
	state         uint8
	inode         uint64
	listen        uint16 // port of a TCP socket that listens, else 0
}

// unixSocket is one of a Unix domain.
type unixSocket struct {
	path   string
	inode  uint64
	listen bool
}

// The parts of linux/sock_diag.h, inet_diag.h and unix_diag.h that golang.org/x/sys does not have.
const (
	sockDiagByFamily = 20

	inetRequestSize = 56 // struct inet_diag_req_v2
	inetMessageSize = 72 // struct inet_diag_msg
	unixRequestSize = 24 // struct unix_diag_req
	unixMessageSize = 16 // struct unix_diag_msg

	unixShowName = 1 // UDIAG_SHOW_NAME
	unixName     = 0 // UNIX_DIAG_NAME

	stateListen = 10 // TCP_LISTEN, which a listening Unix socket has too
)

// inetTypes are the types of sockets by what the kernel calls them.
var inetTypes = [...]struct {
	kind             string
	family, protocol uint8
}{
	{"tcp4", unix.AF_INET, unix.IPPROTO_TCP},
	{"tcp6", unix.AF_INET6, unix.IPPROTO_TCP},
	{"udp4", unix.AF_INET, unix.IPPROTO_UDP},
	{"udp6", unix.AF_INET6, unix.IPPROTO_UDP},
}

// inetSockets returns all TCP and UDP sockets by their inodes.
func (c *Collector) inetSockets(ctx context.Context) (map[uint64]inetSocket, error) {
	all := make(map[uint64]inetSocket)
	for _, t := range inetTypes {
		err := c.inet(ctx, t.kind, func(s inetSocket) bool {
			all[s.inode] = s
			return len(all) < 16*MaxConnections
		})
		if err != nil {
			return all, fmt.Errorf("%s: %w", t.kind, err)
		}
	}
	return all, nil
}

// inet calls f with each socket of a type until it returns false. The kernel hands them over in one go; where it cannot, and where it
// is another machine's /proc that is looked at, they are read from there.
func (c *Collector) inet(ctx context.Context, kind string, f func(inetSocket) bool) error {
	if c.root == "/" {
		err := dumpInet(ctx, kind, f)
		if !errors.Is(err, errNoDiag) {
			return err
		}
	}
	return c.procInet(kind, f)
}

// errNoDiag is that the kernel does not answer questions about sockets: a module is missing, or a sandbox is in between.
var errNoDiag = errors.New("no socket diagnostics")

func dumpInet(ctx context.Context, kind string, f func(inetSocket) bool) error {
	for _, t := range inetTypes {
		if t.kind != kind {
			continue
		}
		request := make([]byte, inetRequestSize)
		request[0], request[1] = t.family, t.protocol
		binary.NativeEndian.PutUint32(request[4:], ^uint32(0)) // all states
		return dump(ctx, request, func(m []byte) bool {
			s, ok := parseInet(m, kind)
			return !ok || f(s)
		})
	}
	return nil
}

// parseInet reads a struct inet_diag_msg.
func parseInet(m []byte, kind string) (inetSocket, bool) {
	if len(m) < inetMessageSize {
		return inetSocket{}, false
	}
	s := inetSocket{kind: kind, state: m[1], inode: uint64(binary.NativeEndian.Uint32(m[68:]))}
	address := func(b []byte, port uint16) netip.AddrPort {
		if m[0] == unix.AF_INET {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), port)
		}
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)), port)
	}
	s.local = address(m[8:], binary.BigEndian.Uint16(m[4:]))
	s.remote = address(m[24:], binary.BigEndian.Uint16(m[6:]))
	s.setListen()
	return s, true
}

func (s *inetSocket) setListen() {
	if s.state == stateListen && s.kind[:3] == "tcp" {
		s.listen = s.local.Port()
	}
}

// dumpUnix calls f with each socket of a Unix domain until it returns false.
func dumpUnix(ctx context.Context, f func(unixSocket) bool) error {
	request := make([]byte, unixRequestSize)
	request[0] = unix.AF_UNIX
	binary.NativeEndian.PutUint32(request[4:], ^uint32(0)) // all states
	binary.NativeEndian.PutUint32(request[12:], unixShowName)
	return dump(ctx, request, func(m []byte) bool {
		s, ok := parseUnix(m)
		return !ok || f(s)
	})
}

// parseUnix reads a struct unix_diag_msg and the attribute with the name behind it.
func parseUnix(m []byte) (unixSocket, bool) {
	if len(m) < unixMessageSize {
		return unixSocket{}, false
	}
	s := unixSocket{inode: uint64(binary.NativeEndian.Uint32(m[4:])), listen: m[2] == stateListen}
	for a := m[unixMessageSize:]; len(a) >= 4; {
		size := int(binary.NativeEndian.Uint16(a))
		if size < 4 || size > len(a) {
			break
		}
		if binary.NativeEndian.Uint16(a[2:]) == unixName {
			s.path = unixPath(a[4:size])
		}
		a = a[min((size+3)&^3, len(a)):]
	}
	return s, true
}

// unixPath writes a name as tools do: one without a file begins with @.
func unixPath(name []byte) string {
	if len(name) > 0 && name[0] == 0 {
		return "@" + string(name[1:])
	}
	for len(name) > 0 && name[len(name)-1] == 0 {
		name = name[:len(name)-1]
	}
	return string(name)
}

// dump asks the kernel for a list of sockets and calls f with each message until it returns false.
func dump(ctx context.Context, request []byte, f func(m []byte) bool) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoDiag, err)
	}
	defer unix.Close(fd)
	// An answer comes at once; a kernel that gives none must not hold us.
	wait := unix.NsecToTimeval(time.Second.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	head := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(request))
	binary.NativeEndian.PutUint32(head, uint32(cap(head)))
	binary.NativeEndian.PutUint16(head[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(head[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	if err := unix.Sendto(fd, append(head, request...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("%w: %w", errNoDiag, err)
	}
	buf := make([]byte, 64<<10)
	for ctx.Err() == nil {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errNoDiag, os.NewSyscallError("recvfrom", err))
		}
		if more, err := messages(buf[:n], f); err != nil || !more {
			return err
		}
	}
	return context.Cause(ctx)
}

// messages calls f with the payload of each message of a datagram. It says whether more datagrams come.
func messages(b []byte, f func(m []byte) bool) (more bool, err error) {
	for len(b) >= unix.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.NLMSG_HDRLEN || size > len(b) {
			return false, fmt.Errorf("a message of %d bytes in %d", size, len(b))
		}
		payload := b[unix.NLMSG_HDRLEN:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return false, nil
		case unix.NLMSG_ERROR:
			if len(payload) < 4 {
				return false, errNoDiag
			}
			errno := unix.Errno(-int32(binary.NativeEndian.Uint32(payload)))
			if errno == 0 {
				return false, nil
			}
			return false, fmt.Errorf("%w: %w", errNoDiag, errno)
		case sockDiagByFamily:
			if !f(payload) {
				return false, nil
			}
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return true, nil
}
