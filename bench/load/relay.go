package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// packetSize is about how many bytes /api/foo has an agent say, and the agent answers.
const packetSize = 64

const relayHello = "GET /agent HTTP/1.1\r\nHost: load\r\n\r\n"

// relay is a server that has one agent, asks it for each request of HTTP, and does nothing else: no WebSocket, no JSON, no
// tokens, no deadlines. What it needs is what it costs to go through another process at all.
type relay struct {
	mu      sync.Mutex // guards the fields below
	agent   net.Conn
	waiting chan chan struct{} // in the order in which they were asked
}

func newRelay() *relay { return &relay{waiting: make(chan chan struct{}, 1000)} }

func (y *relay) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/agent" {
		y.welcome(w)
		return
	}
	answered := make(chan struct{})
	if err := y.ask(answered); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	<-answered
	answerHTTP(w, r)
}

// ask sends the agent a packet. What it answers closes the channel.
func (y *relay) ask(answered chan struct{}) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.agent == nil {
		return errors.New("no agent")
	}
	y.waiting <- answered
	_, err := y.agent.Write(make([]byte, packetSize))
	return err
}

// welcome takes the agent.
func (y *relay) welcome(w http.ResponseWriter) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	y.mu.Lock()
	y.agent = c
	_, err = c.Write(make([]byte, packetSize))
	y.mu.Unlock()
	if err == nil {
		go y.receive(rw.Reader)
	}
}

// receive hands on what the agent answers.
func (y *relay) receive(r *bufio.Reader) {
	var packet [packetSize]byte
	for {
		if _, err := io.ReadFull(r, packet[:]); err != nil {
			return
		}
		close(<-y.waiting)
	}
}

// echo is the agent of a relay.
type echo struct {
	conn  net.Conn
	ended chan error
}

// startEcho connects to a relay and answers each packet.
func startEcho(ctx context.Context, addr string) (*echo, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	e := &echo{c, make(chan error, 1)}
	r := bufio.NewReader(c)
	if _, err := io.WriteString(c, relayHello); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	var packet [packetSize]byte
	if _, err := io.ReadFull(r, packet[:]); err != nil {
		return nil, errors.Join(fmt.Errorf("the relay does not take its agent: %w", err), c.Close())
	}
	go func() {
		for {
			_, err := io.ReadFull(r, packet[:])
			if err == nil {
				_, err = c.Write(packet[:])
			}
			if err != nil {
				e.ended <- err
				return
			}
		}
	}()
	return e, nil
}

// stop ends the agent.
func (e *echo) stop() error {
	err := e.conn.Close()
	if ended := <-e.ended; !errors.Is(ended, net.ErrClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
