package hostmetrics

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
)

// procInet reads the sockets of a type from /proc/net. Without IPv6 there is no file for it.
func (c *Collector) procInet(kind string, f func(inetSocket) bool) error {
	var r files
	text, err := r.read(c.path("proc/net", strings.TrimSuffix(kind, "4")))
	if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(kind, "6") {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		if s, ok := parseProcInet(line, kind); ok && !f(s) {
			break
		}
	}
	return nil
}

// parseProcInet reads a line of /proc/net/tcp and its like: number, local and remote address, state, queues, timer, retransmits, uid,
// timeout, inode.
func parseProcInet(line []byte, kind string) (inetSocket, bool) {
	w := bytes.Fields(line)
	if len(w) < 10 || !bytes.HasSuffix(w[0], []byte(":")) {
		return inetSocket{}, false
	}
	s := inetSocket{kind: kind}
	var ok1, ok2 bool
	s.local, ok1 = hexAddress(w[1])
	s.remote, ok2 = hexAddress(w[2])
	state, err := strconv.ParseUint(string(w[3]), 16, 8)
	inode, err2 := strconv.ParseUint(string(w[9]), 10, 64)
	s.state, s.inode = uint8(state), inode
	s.setListen()
	return s, ok1 && ok2 && err == nil && err2 == nil
}

// hexAddress reads an address of four or sixteen bytes, which stands there in words as the processor has them, and a port.
func hexAddress(text []byte) (netip.AddrPort, bool) {
	ip, port, _ := bytes.Cut(text, []byte(":"))
	var b [16]byte
	if len(ip) != 8 && len(ip) != 32 {
		return netip.AddrPort{}, false
	}
	n, err := hex.Decode(b[:], ip)
	p, err2 := strconv.ParseUint(string(port), 16, 16)
	if err != nil || err2 != nil {
		return netip.AddrPort{}, false
	}
	for i := 0; i < n; i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	if n == 4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), uint16(p)), true
	}
	return netip.AddrPortFrom(netip.AddrFrom16(b), uint16(p)), true
}

// procUnix reads the sockets of Unix domains from /proc/net.
func (c *Collector) procUnix(f func(unixSocket) bool) error {
	var r files
	text, err := r.read(c.path("proc/net/unix"))
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		if s, ok := parseProcUnix(line); ok && !f(s) {
			break
		}
	}
	return nil
}

// parseProcUnix reads a line of /proc/net/unix: address, references, protocol, flags, type, state, inode, path.
func parseProcUnix(line []byte) (unixSocket, bool) {
	w := strings.Fields(string(line))
	if len(w) < 7 || !strings.HasSuffix(w[0], ":") {
		return unixSocket{}, false
	}
	const accepts = 1 << 16 // __SO_ACCEPTCON
	flags, err := strconv.ParseUint(w[3], 16, 64)
	inode, err2 := strconv.ParseUint(w[6], 10, 64)
	s := unixSocket{inode: inode, listen: flags&accepts != 0}
	if len(w) > 7 {
		s.path = strings.Join(w[7:], " ")
	}
	return s, err == nil && err2 == nil
}
