//go:build !linux

package conn

import "net"

// limitUnsent does nothing: Windows takes little beyond what is on its way.
func limitUnsent(net.Conn) {}
