package identity

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Trust is by what an agent knows its server. The zero value trusts the certificate authorities of the host.
type Trust struct {
	// Roots are certificates of which one must have issued the server's, or be it.
	Roots []*x509.Certificate

	// Pins are fingerprints, "sha256:" and 64 hexadecimal digits: one of the certificates that the server shows must have
	// one of them, and have issued the server's, or be it. They are looked at before Roots.
	Pins []string

	// Name is the name that must be in the server's certificate. By default, the one that it was called by.
	Name string
}

// Config is TLS for a connection to a server that is called by a name or an address: 1.3 and nothing older. The agent
// shows the certificate that id returns, if that is not nil.
func (t Trust) Config(host string, id func() *Identity) *tls.Config {
	name := t.Name
	if name == "" {
		name = host
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		ServerName:         name,
		NextProtos:         []string{"http/1.1"},
		InsecureSkipVerify: true, //nolint:gosec // verified below: the library cannot pin, nor say what is wrong in words that help
		VerifyConnection: func(cs tls.ConnectionState) error {
			return t.verify(cs.PeerCertificates, name, time.Now())
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if i := id(); i != nil {
				return i.tls(), nil
			}
			return &tls.Certificate{}, nil
		},
	}
}

// ServerError is a server that is not the one that the agent trusts.
type ServerError struct {
	Name string // by which it was called
	Err  error
}

func (e *ServerError) Error() string {
	return fmt.Sprintf("server %s is not trusted: %v", e.Name, e.Err)
}

// Unwrap returns what is wrong.
func (e *ServerError) Unwrap() error { return e.Err }

// verify says why a server is not to be trusted.
func (t Trust) verify(chain []*x509.Certificate, name string, now time.Time) error {
	if len(chain) == 0 {
		return &ServerError{name, errors.New("it shows no certificate")}
	}
	opts := x509.VerifyOptions{DNSName: name, CurrentTime: now, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	switch {
	case len(t.Pins) > 0:
		opts.Roots = x509.NewCertPool()
		pinned := false
		for _, c := range chain {
			if slices.Contains(t.Pins, Fingerprint(c)) {
				opts.Roots.AddCert(c)
				pinned = true
			}
		}
		if !pinned {
			return &ServerError{name, fmt.Errorf("it shows no certificate with a fingerprint that is wanted; the last one has %s",
				Fingerprint(chain[len(chain)-1]))}
		}
	case len(t.Roots) > 0:
		opts.Roots = x509.NewCertPool()
		for _, c := range t.Roots {
			opts.Roots.AddCert(c)
		}
	}
	if _, err := chain[0].Verify(opts); err != nil {
		return &ServerError{name, err}
	}
	return nil
}

// Fingerprint names a certificate.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// CheckPin says why a text is no fingerprint. Colons between the digits, and capitals, are taken.
func CheckPin(s string) (string, error) {
	digits, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(s)), "sha256:")
	digits = strings.ReplaceAll(digits, ":", "")
	if b, err := hex.DecodeString(digits); !ok || err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("%q is no fingerprint: want sha256: and 64 hexadecimal digits", s)
	}
	return "sha256:" + digits, nil
}

// maxFile is how large a file of certificates may be, in bytes.
const maxFile = 1 << 20

// ReadRoots reads certificates from a file in PEM.
func ReadRoots(file string) ([]*x509.Certificate, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", file, maxFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := parseRoots(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return roots, nil
}
