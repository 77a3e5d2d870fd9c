package hostmetrics

import (
	"bytes"
	"context"
	"strconv"
)

// readTraffic says what each network interface has moved.
func (c *Collector) readTraffic(context.Context) (func(*Usage), error) {
	var f files
	text, err := f.read(c.path("proc/net/dev"))
	if err != nil {
		return nil, err
	}
	list := parseNetDev(text)
	return func(u *Usage) { u.Interfaces = list }, nil
}

// parseNetDev reads /proc/net/dev: a name and a colon, eight numbers of what came, eight of what went.
func parseNetDev(text []byte) []InterfaceUsage {
	var list []InterfaceUsage
	for line := range bytes.Lines(text) {
		i := bytes.LastIndexByte(line, ':') // the name may hold one
		if i < 0 || len(list) >= maxEntries {
			continue
		}
		words := bytes.Fields(line[i+1:])
		if len(words) < 16 {
			continue
		}
		u := InterfaceUsage{Name: clip(string(bytes.TrimSpace(line[:i])), maxName)}
		good := true
		for at, into := range map[int]*uint64{0: &u.BytesRecv, 1: &u.PacketsRecv, 8: &u.BytesSent, 9: &u.PacketsSent} {
			n, err := strconv.ParseUint(string(words[at]), 10, 64)
			*into, good = n, good && err == nil
		}
		if good {
			list = append(list, u)
		}
	}
	return list
}
