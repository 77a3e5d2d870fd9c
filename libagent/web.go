package libagent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// ErrNotConnected means that there is no server to ask now.
var ErrNotConnected = errors.New("not connected")

// Request prepares an HTTP request to the server that the agent is connected to, or was last: what is large goes beside the
// connection. The server itself has named the uri, such as /api/file/upload/1; one that leads anywhere else is refused.
func (ag *Agent) Request(ctx context.Context, method, uri string, body io.Reader) (*http.Request, error) {
	u, err := url.Parse(uri)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") {
		return nil, fmt.Errorf("%q is no path on the server", clip(uri, maxPeerText))
	}
	base := ag.webURL()
	if base.Host == "" {
		return nil, ErrNotConnected
	}
	base.Path, base.RawPath, base.RawQuery = u.Path, u.RawPath, u.RawQuery
	return http.NewRequestWithContext(ctx, method, base.String(), body)
}

// Do sends a request that [Agent.Request] has made, over connections like the agent's own. Redirects are not followed: they
// are the answer. The caller closes its body.
func (ag *Agent) Do(req *http.Request) (*http.Response, error) { return ag.web.Do(req) }

// webURL returns the root of the server that the agent is connected to, or was last, without a host when there was none yet.
func (ag *Agent) webURL() url.URL {
	ag.mu.Lock()
	server := ag.served
	ag.mu.Unlock()
	return url.URL{Scheme: ag.scheme("http", server), Host: hostPort(server)}
}

// idleConnections is how many connections to the server stay open for a while after a request.
const idleConnections = 64

// newWeb makes the client of Do.
func (ag *Agent) newWeb() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:           inTime(ag.dialServer("http")),
			DialTLSContext:        inTime(ag.tlsOver(ag.dialServer("https"))),
			ResponseHeaderTimeout: handshakeTimeout,
			IdleConnTimeout:       heartbeat,
			MaxIdleConnsPerHost:   idleConnections,
			DisableCompression:    true,
			ReadBufferSize:        64 << 10,
			WriteBufferSize:       64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// inTime gives a dial, with its TLS and its proxy, the time that the agent's own connection has: the context of a request ends with
// the agent, and what takes a connection and says nothing would keep who asks until then.
func inTime(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, fmt.Errorf("%s: no answer within %v", addr, dialTimeout))
		defer cancel()
		c, err := dial(ctx, network, addr)
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return c, err
	}
}
