package hostmetrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
)

// readGateway says where the default route leads.
func (c *Collector) readGateway(context.Context) (func(*Static), error) {
	var f files
	gateway := ""
	if text, err := f.read(c.path("proc/net/route")); err == nil {
		gateway = gateway4(text)
	}
	if gateway == "" {
		text, err := f.read(c.path("proc/net/ipv6_route"))
		if err != nil {
			return nil, err
		}
		gateway = gateway6(text)
	}
	if gateway == "" {
		return nil, errAbsent
	}
	return func(s *Static) { s.Gateway = gateway }, nil
}

// gateway4 reads /proc/net/route: interface, destination and gateway as the kernel has them in memory, …, metric, mask.
func gateway4(text []byte) string {
	gateway, best := "", uint64(1<<63)
	for line := range bytes.Lines(text) {
		w := bytes.Fields(line)
		if len(w) < 8 || string(w[1]) != "00000000" || string(w[7]) != "00000000" {
			continue
		}
		ip, err := strconv.ParseUint(string(w[2]), 16, 32)
		metric, err2 := strconv.ParseUint(string(w[6]), 10, 32)
		if err != nil || err2 != nil || ip == 0 || metric >= best {
			continue
		}
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], uint32(ip))
		gateway, best = netip.AddrFrom4(b).String(), metric
	}
	return gateway
}

// gateway6 reads /proc/net/ipv6_route: destination, length, source, length, gateway, metric, …, interface.
func gateway6(text []byte) string {
	gateway, best := "", uint64(1<<63)
	for line := range bytes.Lines(text) {
		w := bytes.Fields(line)
		if len(w) < 10 || string(w[1]) != "00" || len(bytes.Trim(w[0], "0")) > 0 {
			continue
		}
		var b [16]byte
		metric, err := strconv.ParseUint(string(w[5]), 16, 32)
		if n, e := hex.Decode(b[:], w[4][:min(len(w[4]), 32)]); err != nil || e != nil || n != 16 || b == [16]byte{} || metric >= best {
			continue
		}
		gateway, best = netip.AddrFrom16(b).String(), metric
	}
	return gateway
}
