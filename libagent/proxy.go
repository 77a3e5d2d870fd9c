package libagent

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxProxyAnswer is how many bytes a proxy may say before the way to the server is free.
const maxProxyAnswer = 64 << 10

// ProxyError is a proxy that does not let the agent through.
type ProxyError struct {
	Proxy string // host:port, without the name and password that its URL may have
	Err   error
}

func (e *ProxyError) Error() string { return fmt.Sprintf("proxy %s: %v", e.Proxy, e.Err) }
func (e *ProxyError) Unwrap() error { return e.Err }

// dialFunc makes a network connection.
type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// directDial makes connections without a proxy.
func (ag *Agent) directDial(ctx context.Context, network, addr string) (net.Conn, error) {
	if ag.netDial != nil {
		return ag.netDial(ctx, network, addr)
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

// dialServer makes connections to servers that are asked with a scheme, http or https, through the proxy that is for them.
// Both kinds go through a tunnel (CONNECT), since a proxy that looks into it does not know WebSocket.
func (ag *Agent) dialServer(scheme string) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		p, err := ag.proxyFor(scheme, addr)
		if err != nil {
			return nil, err
		}
		if p == nil {
			return ag.directDial(ctx, network, addr)
		}
		c, err := ag.tunnel(ctx, p, addr)
		if err != nil {
			return nil, &ProxyError{proxyAddr(p), err}
		}
		return c, nil
	}
}

// proxyFor returns the proxy for a server, nil for none.
func (ag *Agent) proxyFor(scheme, addr string) (*url.URL, error) {
	if ag.proxy == nil {
		return nil, nil
	}
	p, err := ag.proxy(&http.Request{URL: &url.URL{Scheme: scheme, Host: addr}})
	if err != nil {
		// What the environment holds may have a password in it: the error is not repeated.
		return nil, fmt.Errorf("proxy of the environment for %s://%s is no URL", scheme, addr)
	}
	if p != nil && p.Scheme != "http" && p.Scheme != "https" {
		return nil, &ProxyError{proxyAddr(p), fmt.Errorf("the scheme %q is not supported: want http or https", clip(p.Scheme, maxPeerText))}
	}
	return p, nil
}

// proxyName returns the address of the proxy for a server, "" for none.
func (ag *Agent) proxyName(scheme, addr string) string {
	p, err := ag.proxyFor(scheme, addr)
	if err != nil || p == nil {
		return ""
	}
	return proxyAddr(p)
}

// proxyAddr returns the address of a proxy, with the port that its scheme has.
func proxyAddr(p *url.URL) string {
	port := p.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[p.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(p.Hostname(), port)
}

// tunnel connects to an address through a proxy, within ctx.
func (ag *Agent) tunnel(ctx context.Context, p *url.URL, addr string) (net.Conn, error) {
	c, err := ag.directDial(ctx, "tcp", proxyAddr(p))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // a connection that has ended needs no deadline
	t := c
	if p.Scheme == "https" {
		t = tls.Client(c, &tls.Config{ServerName: p.Hostname()})
	}
	err = askThrough(t, p, addr)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return t, nil
}

// askThrough asks a proxy for the way to an address.
func askThrough(c net.Conn, p *url.URL, addr string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: make(http.Header)}
	if u := p.User; u != nil {
		password, _ := u.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if err := req.Write(c); err != nil {
		return err
	}
	limited := &io.LimitedReader{R: c, N: maxProxyAnswer}
	answer := bufio.NewReaderSize(limited, 4<<10)
	resp, err := http.ReadResponse(answer, req) //nolint:bodyclose // closing would read it; the connection ends, or is the server's
	switch {
	case err != nil && limited.N == 0:
		return fmt.Errorf("answer of more than %d bytes", maxProxyAnswer)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("ended the connection without an answer")
	case err != nil:
		return errors.New(clip(err.Error(), maxPeerText))
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("answered %q", clip(resp.Status, maxPeerText))
	case answer.Buffered() > 0: // the server speaks after the agent
		return errors.New("sent bytes that are not the server's")
	}
	return nil
}
