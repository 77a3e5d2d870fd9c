package libagent

import (
	"context"
	"crypto/tls"
	"errors"
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

	reached bool // the server, or the proxy that leads to it
	secured bool // with TLS
	stopped bool
}

// probingAgent is an agent that introduces itself and does nothing else.
func probingAgent(app App, settings Settings, file string) (*Agent, error) {
	ag := &Agent{
		app: app, file: file, log: slog.New(slog.DiscardHandler), id: settings.Basic().ID, begin: time.Now(), proxy: http.ProxyFromEnvironment,
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
		p.step(p.current(err), "", err)
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
		trusted := config.VerifyConnection
		config.VerifyConnection = func(s tls.ConnectionState) error {
			if trusted != nil {
				if err := trusted(s); err != nil {
					return err
				}
			}
			p.verified(s)
			return nil
		}
	}
	p.ag.netDial = p.connect
	scheme := p.ag.scheme("http", p.server)
	if proxy := p.ag.proxyName(scheme, hostPort(p.server)); proxy != "" {
		p.step("proxy", proxy+", as the environment has it", nil)
	}
	d := conn.Dialer{Options: conn.Options{MaxMessage: maxFrame}, NetDial: p.ag.dialServer(scheme), TLS: config}
	return d.Dial(ctx, url)
}

// current is the step that an error of dial belongs to.
func (p *probe) current(err error) string {
	var proxy *ProxyError
	switch {
	case errors.As(err, &proxy):
		return "proxy"
	case !p.reached:
		return "tcp"
	case p.ag.secure(p.server) && !p.secured:
		return "tls"
	}
	return "websocket"
}

// verified notes a server that has shown a certificate which the agent trusts.
func (p *probe) verified(s tls.ConnectionState) {
	p.secured = true
	detail := tls.VersionName(s.Version)
	if len(s.PeerCertificates) > 0 {
		cert := s.PeerCertificates[0]
		detail += fmt.Sprintf(", certificate of %q until %s", clip(cert.Subject.String(), maxPeerText), cert.NotAfter.Format(time.DateOnly))
	}
	if p.ag.identity.Load() != nil {
		detail += "; this agent has one too"
	}
	p.step("tls", detail, nil)
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
	p.reached = true
	p.step("tcp", fmt.Sprintf("%s to %s (%v)", c.LocalAddr(), c.RemoteAddr(), took(begin)), nil)
	return c, nil
}

func took(begin time.Time) time.Duration { return time.Since(begin).Round(10 * time.Microsecond) }
