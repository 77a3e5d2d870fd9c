package hostmetrics

import (
	"bufio"
	"bytes"
	"context"
	"net/netip"
	"strings"
)

// readNameServers lists the name servers.
func (c *Collector) readNameServers(context.Context) (func(*Static), error) {
	var f files
	text, err := f.read(c.path("etc/resolv.conf"))
	if err != nil {
		return nil, err
	}
	var list []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan() && len(list) < 16; {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if _, err := netip.ParseAddr(words[1]); err == nil {
			list = append(list, words[1])
		}
	}
	return func(s *Static) { s.NameServers = list }, nil
}
