package libagent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/jkstack/jkframe/v2/libagent/internal/identity"
)

// secureScheme begins the address of a server that is spoken to over TLS.
const secureScheme = "wss://"

// TLSConfig is how the agent knows its server, and where it keeps what proves who it is itself.
type TLSConfig struct {
	// CA is a file in PEM with certificates of which one must have issued the server's, or be it. By default, what the
	// server gave when the agent enrolled; without that the certificate authorities of the host.
	CA string `kv:"ca" desc:"file with the certificate authority of the server"`

	// Fingerprint lists certificates, as sha256: and 64 hexadecimal digits, of which the server must show one, and with
	// which its own must have been issued. By default, any.
	Fingerprint []string `kv:"fingerprint" desc:"fingerprint of the server's certificate authority, sha256:…"`

	// ServerName is the name that must be in the server's certificate. By default, that of its address.
	ServerName string `kv:"server_name" desc:"name in the certificate of the server, if it is not that of its address"`

	// Dir is the folder of the agent's key and certificate. By default, identity beside the config file; without a file
	// there is none.
	Dir string `kv:"dir" desc:"folder of the agent's key and certificate; empty: identity beside the config file"`
}

// EnrollConfig is how the agent gets its certificate without a command.
type EnrollConfig struct {
	// TokenFile is a file with a token with which the agent enrols when it starts and is not enrolled yet. By default, it
	// does not.
	TokenFile string `kv:"token_file" desc:"file with a token with which the agent enrols at its first start"`
}

// set reports whether the config says anything of how the server is known.
func (c *TLSConfig) set() bool { return c.CA != "" || len(c.Fingerprint) > 0 || c.ServerName != "" }

// check returns what makes no sense, and brings fingerprints into one form.
func (c *TLSConfig) check() []*fieldError {
	var errs []*fieldError
	for i, p := range c.Fingerprint {
		pin, err := identity.CheckPin(p)
		if err != nil {
			errs = append(errs, &fieldError{"tls.fingerprint", err.Error()})
			continue
		}
		c.Fingerprint[i] = pin
	}
	if c.ServerName != "" && !isHost(c.ServerName) {
		errs = append(errs, &fieldError{"tls.server_name", fmt.Sprintf("%q is neither the name of a host nor an IP address", c.ServerName)})
	}
	return errs
}

// folder returns where the identity of an agent with this config is kept, "" for nowhere.
func (c *TLSConfig) folder(file string) identity.Folder {
	switch {
	case c.Dir != "":
		return identity.Folder(c.Dir)
	case file != "":
		return identity.Folder(filepath.Join(filepath.Dir(file), "identity"))
	}
	return ""
}

// hostPort returns the address of a server without the scheme.
func hostPort(server string) string { return strings.TrimPrefix(server, secureScheme) }

// splitServer takes the address of a server apart.
func splitServer(server string) (host, port string, err error) {
	return net.SplitHostPort(hostPort(server))
}

// secure reports whether a server is spoken to over TLS: when its address says so, or the config says how the server is
// known; and an agent that is enrolled does nothing else.
func (ag *Agent) secure(server string) bool {
	return strings.HasPrefix(server, secureScheme) || ag.identity.Load() != nil || ag.basic().TLS.set()
}

// scheme returns the scheme for a server, such as ws or http, with an s at its end if it is spoken to over TLS.
func (ag *Agent) scheme(plain, server string) string {
	if ag.secure(server) {
		return plain + "s"
	}
	return plain
}

// trust returns by what the agent knows its server. It is made anew for each connection, since files change.
func (ag *Agent) trust() (identity.Trust, error) {
	c := ag.basic().TLS
	var enrolled []*x509.Certificate
	if i := ag.identity.Load(); i != nil {
		enrolled = i.Roots
	}
	return c.trust(enrolled)
}

// trust returns by what a server is known, for an agent that got these certificates when it enrolled.
func (c *TLSConfig) trust(enrolled []*x509.Certificate) (identity.Trust, error) {
	t := identity.Trust{Pins: c.Fingerprint, Name: c.ServerName, Roots: enrolled}
	if len(enrolled) > 0 {
		t.Pins = nil // they were for the first time: what the server gave then counts, so that it can have a new CA
	}
	if c.CA != "" {
		var err error
		if t.Roots, err = identity.ReadRoots(c.CA); err != nil {
			return t, fmt.Errorf("%s.tls.ca: %w", section, err)
		}
	}
	return t, nil
}

// wsURL returns where the agent connects to a server, and with which TLS; nil for none.
func (ag *Agent) wsURL(server string) (string, *tls.Config, error) {
	u := url.URL{Scheme: ag.scheme("ws", server), Host: hostPort(server), Path: "/ws/agent"}
	if u.Scheme == "ws" {
		return u.String(), nil, nil
	}
	config, err := ag.tlsFor(u.Host)
	return u.String(), config, err
}

// tlsFor returns TLS for a connection to the host of an address.
func (ag *Agent) tlsFor(addr string) (*tls.Config, error) {
	t, err := ag.trust()
	if err != nil {
		return nil, err
	}
	host, _, err := splitServer(addr)
	if err != nil {
		return nil, err
	}
	return t.Config(host, ag.identity.Load), nil
}

// tlsOver returns how to make connections with TLS on top of others.
func (ag *Agent) tlsOver(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		config, err := ag.tlsFor(addr)
		if err != nil {
			return nil, err
		}
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		t := tls.Client(c, config)
		if err := t.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, err
		}
		return t, nil
	}
}
