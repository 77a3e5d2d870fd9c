package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Target says where agents connect to, and how.
type Target struct {
	Addr string

	// TLS is used for the connection. By default, there is none.
	TLS *tls.Config

	// Say is what agents say when they are connected. By default, it is the handshake of the protocol.
	Say Hello

	// Sources is how many loopback addresses agents come from, beginning with 127.0.0.2: each has some 28,000 ports to
	// connect from. By default, 16.
	Sources int
}

// Hello is what agents say when they are connected.
type Hello string

const (
	// Nothing is not even an upgrade.
	Nothing Hello = "nothing"

	// OpAMP is a first message of the Open Agent Management Protocol.
	OpAMP Hello = "opamp"
)

// patience bounds each wait for an answer of a server.
const patience = 5 * time.Minute

// Agent is a simulated agent: its socket. Its methods are for one goroutine.
type Agent struct {
	conn net.Conn
}

// readers read what agents receive. An agent has one only while it waits for an answer.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 2048) }}

// Connect connects an agent and shakes hands.
func Connect(ctx context.Context, t Target, id string) (*Agent, error) {
	a, err := dial(ctx, t)
	if err != nil || t.Say == Nothing {
		return a, err
	}
	if err := a.shake(t.Say, id); err != nil {
		a.Close()
		return nil, fmt.Errorf("agent %s: %w", id, err)
	}
	return a, nil
}

func dial(ctx context.Context, t Target) (*Agent, error) {
	sources := t.Sources
	if sources <= 0 {
		sources = 16
	}
	addr, err := netip.ParseAddrPort(t.Addr)
	if err != nil {
		return nil, err
	}
	c, err := connect(netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + rand.IntN(min(sources, 250)))}), addr)
	if err != nil {
		return nil, err
	}
	if t.TLS != nil {
		secure := tls.Client(c, t.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, err
		}
		c = secure
	}
	return &Agent{conn: c}, nil
}

const upgrade = "GET /ws/agent HTTP/1.1\r\nHost: load\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// come is the first message of an agent.
func come(id string) []byte {
	return fmt.Appendf(nil, `{"type":1,"come":{"id":%q,"name":"load-agent","version":"1.0.0","ip":"127.0.0.1","mac":"",`+
		`"host_name":"host-01","os":"linux","platform":"debian","platform_version":"12.11","kernel_version":"6.1.0",`+
		`"arch":"x86_64","cpu":"AMD EPYC","cpu_core":2,"memory":25276502016}}`, id)
}

// opampHello is the shortest first message of OpAMP: a header of 0, and the field instance_uid with 16 bytes.
func opampHello() []byte {
	b := binary.BigEndian.AppendUint64([]byte{0, 1<<3 | 2, 16}, rand.Uint64())
	return binary.BigEndian.AppendUint64(b, rand.Uint64())
}

// shake upgrades the connection and says who the agent is.
func (a *Agent) shake(say Hello, id string) error {
	if err := a.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	r := readers.Get().(*bufio.Reader)
	r.Reset(a.conn)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	if _, err := io.WriteString(a.conn, upgrade); err != nil {
		return err
	}
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 101 ")) {
		return fmt.Errorf("upgrade refused: %q", line)
	}
	for len(line) > len("\r\n") {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
	}
	first, accepted := appendFrame(nil, opText, come(id)), []byte(`"ok":true`)
	if say == OpAMP {
		first, accepted = appendFrame(nil, opBinary, opampHello()), nil
	}
	if err := a.SendAll(first); err != nil {
		return err
	}
	_, answer, err := readFrame(r)
	if err != nil {
		return err
	}
	if !bytes.Contains(answer, accepted) {
		return fmt.Errorf("handshake refused: %.200q", answer)
	}
	if r.Buffered() > 0 {
		return errors.New("the server said more than the handshake")
	}
	return a.conn.SetDeadline(time.Time{})
}

// SendAll sends frames that are built already, see [appendFrame].
func (a *Agent) SendAll(frames []byte) error {
	_, err := a.conn.Write(frames)
	return err
}

// Ping sends a ping and does not wait for the pong.
func (a *Agent) Ping() error {
	_, err := a.conn.Write(pingFrame)
	return err
}

// Fence returns when the server has taken everything that was sent before.
func (a *Agent) Fence() error {
	if err := a.Ping(); err != nil {
		return err
	}
	r := bufio.NewReader(a.conn)
	for {
		op, _, err := readFrame(r)
		if err != nil {
			return err
		}
		if op == opPong {
			return nil
		}
	}
}

// Close closes the socket without a goodbye.
func (a *Agent) Close() { a.conn.Close() }

// Opcodes of frames.
const (
	opText   = 1
	opBinary = 2
	opPing   = 9
	opPong   = 10
)

var pingFrame = appendFrame(nil, opPing, nil)

// appendFrame appends a frame of a client: masked, with zeros, which costs this side nothing.
func appendFrame(b []byte, op byte, payload []byte) []byte {
	b = slices.Grow(b, len(payload)+14)
	b = append(b, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// maxAnswer is the largest frame of a server that is taken, in bytes.
const maxAnswer = 1 << 20

// readFrame reads a frame of a server.
func readFrame(r *bufio.Reader) (op byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	op = head[0] & 15
	n := uint64(head[1])
	switch n {
	case 126:
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return 0, nil, err
		}
		n = uint64(binary.BigEndian.Uint16(head[:2]))
	case 127:
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(head[:8])
	}
	if n > maxAnswer {
		return 0, nil, fmt.Errorf("frame of %d bytes", n)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return op, payload, err
}
