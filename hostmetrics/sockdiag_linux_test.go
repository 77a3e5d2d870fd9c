package hostmetrics_test

import (
	"encoding/binary"
	"testing"

	"github.com/jkstack/jkframe/v2/hostmetrics"
)

// Whatever a datagram of the kernel's socket diagnostics holds, it is read to its end and no further.
func FuzzSocketMessages(f *testing.F) {
	whole := make([]byte, 16+72)
	binary.NativeEndian.PutUint32(whole, uint32(len(whole)))
	binary.NativeEndian.PutUint16(whole[4:], 20) // SOCK_DIAG_BY_FAMILY
	whole[16] = 2                                // AF_INET
	f.Add(whole)
	f.Add(whole[:20])
	f.Add(append(append([]byte(nil), whole...), whole...))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		sockets, err := hostmetrics.Sockets(datagram)
		if most := len(datagram) / 16; sockets > 2*most {
			t.Errorf("%d sockets in %d bytes, %v", sockets, len(datagram), err)
		}
	})
}
