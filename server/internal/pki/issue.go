package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
	"unicode/utf8"
)

// Identity is who an agent is, as its certificate says.
type Identity struct {
	ID        string
	Type      string // of the agent, such as exec-agent
	Enrolment string // names the enrolment that the certificate comes from; a renewal keeps it
}

// scheme of the URI in a certificate that holds an [Identity].
const scheme = "jkframe-agent"

func (id Identity) uri() *url.URL {
	return &url.URL{Scheme: scheme, Host: "agent", Path: "/", RawQuery: url.Values{
		"id": {id.ID}, "type": {id.Type}, "enrolment": {id.Enrolment},
	}.Encode()}
}

// Server makes a certificate with which a server can be reached by these names and addresses.
func (a *Authority) Server(names []string, life time.Duration, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: "agent-server"},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	signer := a.signer()
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, key.Public(), signer.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %q: %w", names, err)
	}
	return chain(der, signer, key), nil
}

// Agent makes a certificate for a public key of an agent, and returns it with its serial number in hexadecimal digits.
func (a *Authority) Agent(pub *ecdsa.PublicKey, id Identity, life time.Duration, now time.Time) (der []byte, serial string, err error) {
	signer := a.signer()
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: clip(id.ID, 64)}, // for people: the identity is in the URI
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs:         []*url.URL{id.uri()},
	}
	der, err = x509.CreateCertificate(rand.Reader, template, signer.cert, pub, signer.key)
	if err != nil {
		return nil, "", fmt.Errorf("make a certificate for agent %q: %w", id.ID, err)
	}
	return der, Serial(template), nil
}

// clip returns the beginning of s that has at most n bytes and ends with a whole character.
func clip(s string, n int) string {
	for len(s) > n || !utf8.ValidString(s) {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// Serial returns the serial number of a certificate in hexadecimal digits.
func Serial(c *x509.Certificate) string { return hex.EncodeToString(c.SerialNumber.Bytes()) }

// Why a certificate is none of an agent's.
var (
	ErrExpired = errors.New("the certificate has expired, or is not valid yet")
	ErrForeign = errors.New("the certificate is not one of this server's agents")
)

// Verify returns who an agent with this certificate is. Whether it was revoked is not for the certificate to say.
func (a *Authority) Verify(c *x509.Certificate, now time.Time) (Identity, error) {
	a.mu.RLock()
	pool := a.pool
	a.mu.RUnlock()
	_, err := c.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if invalid := (x509.CertificateInvalidError{}); errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return Identity{}, ErrExpired
	}
	if err != nil || len(c.URIs) != 1 || c.URIs[0].Scheme != scheme {
		return Identity{}, ErrForeign
	}
	q := c.URIs[0].Query()
	return Identity{ID: q.Get("id"), Type: q.Get("type"), Enrolment: q.Get("enrolment")}, nil
}

// IssuedBySigner reports whether the CA that signs now has signed a certificate.
func (a *Authority) IssuedBySigner(c *x509.Certificate) bool {
	return c.CheckSignatureFrom(a.signer().cert) == nil
}

// ParseRequest reads a certificate request, as DER: it must be signed with the key that it is for, on P-256. Nothing but
// the key counts; whatever else a host writes there is for the server to decide.
func ParseRequest(der []byte) (*ecdsa.PublicKey, error) {
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	pub, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return nil, errors.New("certificate request: the key must be ECDSA on P-256")
	}
	return pub, nil
}
