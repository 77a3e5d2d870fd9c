package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

const (
	// caLife is how long a CA can sign. Long before its end, [Rotate] makes another one.
	caLife = 10 * 365 * 24 * time.Hour

	// backdate is how far the clock of a host may be behind.
	backdate = time.Hour

	// maxFile is how large a file of a CA may be, in bytes.
	maxFile = 64 << 10

	filePrefix, fileSuffix = "ca-", ".pem"
)

// ca is one certificate with its key.
type ca struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// newCA makes a CA. Its name says when it was made, for people who look at certificates.
func newCA(now time.Time) (*ca, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "agent-server CA " + now.UTC().Format("2006-01-02 15:04:05")},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(caLife),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &ca{cert, key}, nil
}

// newSerial returns a random serial number of 127 bits.
func newSerial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// fileOf is the name of the file of a CA with this fingerprint.
func fileOf(dir, fingerprint string) string {
	return filepath.Join(dir, filePrefix+strings.TrimPrefix(fingerprint, fingerprintPrefix)[:16]+fileSuffix)
}

// save writes a new CA into its file.
func (c *ca) save(dir string) error {
	key, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	return secretfile.Create(fileOf(dir, Fingerprint(c.cert)), text)
}

// loadCA reads the file of a CA.
func loadCA(file string) (*ca, error) {
	text, err := secretfile.Read(file, maxFile)
	if err != nil {
		return nil, err
	}
	c := &ca{}
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		switch b.Type {
		case "CERTIFICATE":
			c.cert, err = x509.ParseCertificate(b.Bytes)
		case "PRIVATE KEY":
			var key any
			if key, err = x509.ParsePKCS8PrivateKey(b.Bytes); err == nil {
				c.key, _ = key.(crypto.Signer)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if c.cert == nil || c.key == nil || !c.cert.IsCA {
		return nil, fmt.Errorf("%s holds no certificate of a CA with its key", file)
	}
	if pub, ok := c.key.Public().(*ecdsa.PublicKey); !ok || !pub.Equal(c.cert.PublicKey) {
		return nil, fmt.Errorf("%s: the key is not that of the certificate", file)
	}
	return c, nil
}

const fingerprintPrefix = "sha256:"

// Fingerprint names a certificate: "sha256:" and 64 hexadecimal digits.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return fingerprintPrefix + hex.EncodeToString(sum[:])
}

// activeFile holds the fingerprint of the CA that signs.
func activeFile(dir string) string { return filepath.Join(dir, "active") }

func readActive(dir string) (string, error) {
	b, err := secretfile.Read(activeFile(dir), maxFile)
	return string(bytes.TrimSpace(b)), err
}

// Open opens a folder of CAs, and makes one if there is none. Several may do so at once.
func Open(dir string) (*Authority, error) {
	if _, err := readActive(dir); errors.Is(err, os.ErrNotExist) {
		if err := found(dir); err != nil {
			return nil, fmt.Errorf("certificate authority: %w", err)
		}
	}
	a := &Authority{dir: dir}
	if err := a.load(); err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	return a, nil
}

// found makes the first CA.
func found(dir string) error {
	c, err := newCA(time.Now())
	if err != nil {
		return err
	}
	if err := c.save(dir); err != nil {
		return err
	}
	fp := Fingerprint(c.cert)
	err = secretfile.Create(activeFile(dir), []byte(fp+"\n"))
	if errors.Is(err, os.ErrExist) { // somebody else was faster
		return os.Remove(fileOf(dir, fp))
	}
	return err
}
