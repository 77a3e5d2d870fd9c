package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/pki"
)

const (
	// serverCertLife is how long a certificate of the server's own CA lasts. A new one is made when two thirds are over.
	serverCertLife = 30 * 24 * time.Hour

	// defaultAgentCertLife is how long a certificate of an agent lasts.
	defaultAgentCertLife = 90 * 24 * time.Hour
)

// certs are what the server shows, and by which it knows agents. What changes on the disk is taken without a new start.
type certs struct {
	ca    *pki.Authority
	cfg   TLSConfig
	names []string // for certificates of the own CA

	mu      sync.RWMutex // guards the fields below
	current *tls.Certificate
	stamps  [2]time.Time // when the files with certificate and key were changed
	renewAt time.Time    // when the next certificate of the own CA is due; zero for one from a file
}

func openCerts(dir string, cfg TLSConfig) (*certs, error) {
	ca, err := pki.Open(dir)
	if err != nil {
		return nil, err
	}
	c := &certs{ca: ca, cfg: cfg}
	host, _ := os.Hostname()
	c.names = append(c.names, cfg.Names...)
	for _, n := range append([]string{host, "localhost", "127.0.0.1", "::1"}, localIPs()...) {
		if n != "" && !slices.Contains(c.names, n) {
			c.names = append(c.names, n)
		}
	}
	return c, c.load(time.Now())
}

// localIPs are the addresses of this host.
func localIPs() []string {
	addrs, _ := net.InterfaceAddrs() // without them there are the configured names
	var list []string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			list = append(list, n.IP.String())
		}
	}
	return list
}

// load makes or reads the certificate.
func (c *certs) load(now time.Time) error {
	if c.cfg.Cert == "" {
		cert, err := c.ca.Server(c.names, serverCertLife, now)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.current, c.renewAt = cert, now.Add(serverCertLife*2/3)
		return nil
	}
	stamps, err := c.stampsNow()
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(c.cfg.Cert, c.cfg.Key)
	if err != nil {
		return fmt.Errorf("tls.cert and tls.key: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current, c.stamps = &cert, stamps
	return nil
}

func (c *certs) stampsNow() (stamps [2]time.Time, err error) {
	for i, file := range []string{c.cfg.Cert, c.cfg.Key} {
		info, err := os.Stat(file)
		if err != nil {
			return stamps, fmt.Errorf("tls.cert and tls.key: %w", err)
		}
		stamps[i] = info.ModTime()
	}
	return stamps, nil
}

// refresh takes what has changed on the disk, and makes a new certificate when one is due.
func (c *certs) refresh() error {
	changed, err := c.ca.Refresh()
	now := time.Now()
	c.mu.RLock()
	due := !c.renewAt.IsZero() && !now.Before(c.renewAt)
	stamps := c.stamps
	c.mu.RUnlock()
	if c.cfg.Cert != "" {
		fresh, e := c.stampsNow()
		if e != nil {
			return errors.Join(err, e)
		}
		if changed = fresh != stamps; !changed {
			return err
		}
	}
	if changed || due {
		err = errors.Join(err, c.load(now))
	}
	return err
}

func (c *certs) get() *tls.Certificate {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.current
}

// end returns when the certificate that is shown now is good no more.
func (c *certs) end() time.Time { return c.get().Leaf.NotAfter }

// config is TLS of a listener: 1.3 and nothing older. Clients on the agents' listener may show a certificate, which is
// looked at when they ask for something, so that they learn what is wrong with it. There are no tickets for resuming: a
// fleet comes back after a restart, when no ticket is good any more, and each would cost memory on both sides.
func (c *certs) config(clients tls.ClientAuthType) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get(), nil },
		ClientAuth:             clients,
		SessionTicketsDisabled: true,
		NextProtos:             []string{"http/1.1"},
	}
}

// anchors are the certificates, as PEM, by which an agent knows this server: its CAs, the one that signs first, and the
// last one of the chain that comes from a file.
func (c *certs) anchors() []byte {
	bundle := c.ca.Bundle()
	if c.cfg.Cert == "" {
		return bundle
	}
	chain := c.get().Certificate
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[len(chain)-1]}), bundle...)
}

// fingerprint names the certificate by which an agent that enrols knows this server.
func (c *certs) fingerprint() (string, error) {
	if c.cfg.Cert == "" {
		return c.ca.Fingerprint(), nil
	}
	chain := c.get().Certificate
	last, err := x509.ParseCertificate(chain[len(chain)-1])
	if err != nil {
		return "", err
	}
	return pki.Fingerprint(last), nil
}
