package libagent

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// probe tries the way to a server, step by step.
type probe struct {
	ag     *Agent
	server string
	say    func(step, detail string, err error) // told of each step that was made; the first error is the last call

	stopped bool
}

// probingAgent is an agent that introduces itself and does nothing else.
func probingAgent(app App, settings Settings, file string) (*Agent, error) {
	ag := &Agent{
		app: app, file: file, log: slog.New(slog.DiscardHandler), id: settings.Basic().ID, begin: time.Now(),
		proxy: http.ProxyFromEnvironment,
	}
	ag.conf.Store(&settings)
	return ag, ag.loadIdentity()
}

// step says how a step went, unless an earlier one has failed.
func (p *probe) step(name, detail string, err error) {
	if p.stopped {
		return
	}
	p.stopped = err != nil
	p.say(name, detail, err)
}

// run makes all steps, and tells whether the server would take the agent.
func (p *probe) run(ctx context.Context) bool {
	ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, fmt.Errorf("no answer within %v", dialTimeout))
	defer cancel()
	c, err := p.dial(ctx)
	if err != nil {
		p.step("websocket", "", err)
		return false
	}
	defer c.Close(conn.CodeNormal, "checked")
	p.step("websocket", "upgraded", nil)
	h, err := p.ag.shakeHands(ctx, c, p.server)
	switch {
	case err != nil:
		p.step("handshake", "", err)
		return false
	case len(h.Redirect) > 0:
		p.step("handshake", fmt.Sprintf("sends agents to %q", clip(strings.Join(h.Redirect, ", "), maxPeerText)), nil)
	case !h.OK:
		refused := &RefusedError{Server: p.server, Msg: h.Msg}
		if !refused.Conflict() {
			p.step("handshake", "", refused)
			return false
		}
		p.step("handshake", fmt.Sprintf("the server answers; an agent with the id %q is connected", p.ag.ID()), nil)
	case p.ag.ID() == "":
		p.step("handshake", "accepted; the server assigns an id", nil)
	default:
		p.step("handshake", fmt.Sprintf("accepted as %q", clip(h.ID, maxPeerText)), nil)
	}
	return true
}

// dial connects as the agent does.
func (p *probe) dial(ctx context.Context) (*conn.Conn, error) {
	url, config, err := p.ag.wsURL(p.server)
	if err != nil {
		return nil, err
	}
	if config != nil {
		verify := config.VerifyConnection
		config.VerifyConnection = func(cs tls.ConnectionState) error {
			if err := verify(cs); err != nil {
				p.step("tls", "", err)
				return err
			}
			until := cs.PeerCertificates[0].NotAfter.UTC().Format(time.RFC3339)
			p.step("tls", fmt.Sprintf("%s, certificate until %s", tls.VersionName(cs.Version), until), nil)
			return nil
		}
	}
	d := conn.Dialer{Options: conn.Options{MaxMessage: maxFrame}, NetDial: p.connect, TLS: config}
	return d.Dial(ctx, url)
}

// resolve looks the host of an address up.
func (p *probe) resolve(ctx context.Context, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || net.ParseIP(host) != nil {
		return err
	}
	begin := time.Now()
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	p.step("name", fmt.Sprintf("%s is %s (%v)", host, strings.Join(found, ", "), took(begin)), err)
	return err
}

// connect makes a TCP connection, through the proxy of the environment if that has one for the server.
func (p *probe) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	scheme := p.ag.scheme("http", p.server)
	if proxy := p.ag.proxyName(scheme, addr); proxy != "" {
		begin := time.Now()
		c, err := p.ag.dialServer(scheme)(ctx, network, addr)
		p.step("proxy", fmt.Sprintf("%s lets through to %s (%v)", proxy, addr, took(begin)), err)
		return c, err
	}
	if err := p.resolve(ctx, addr); err != nil {
		return nil, err
	}
	begin := time.Now()
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		p.step("tcp", "", err)
		return nil, err
	}
	p.step("tcp", fmt.Sprintf("%s to %s (%v)", c.LocalAddr(), c.RemoteAddr(), took(begin)), nil)
	return c, nil
}

func took(begin time.Time) time.Duration { return time.Since(begin).Round(10 * time.Microsecond) }
