package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// Identity is an agent that is enrolled.
type Identity struct {
	ID    string
	Type  string // of the agent, such as exec-agent
	Cert  *x509.Certificate
	Roots []*x509.Certificate // by what it knows its server
	key   *ecdsa.PrivateKey
}

func (i *Identity) tls() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{i.Cert.Raw}, PrivateKey: i.key, Leaf: i.Cert}
}

// Due is when the certificate is to be renewed: when two thirds of its time are over.
func (i *Identity) Due() time.Time {
	life := i.Cert.NotAfter.Sub(i.Cert.NotBefore)
	return i.Cert.NotBefore.Add(life / 3 * 2)
}

// Folder is where an identity is kept.
type Folder string

func (f Folder) file(name string) string { return filepath.Join(string(f), name) }

// The files of a folder.
const (
	certFile = "agent.pem"
	rootFile = "ca.pem"
	keyFile  = "enrolling.key" // while no certificate was got for it
)

// Load returns the identity in a folder, nil if there is none.
func (f Folder) Load() (*Identity, error) {
	text, err := readSecret(f.file(certFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	i, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.file(certFile), err)
	}
	i.Roots, err = ReadRoots(f.file(rootFile))
	return i, err
}

// parse reads key and certificate.
func parse(text []byte) (*Identity, error) {
	i := &Identity{}
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		var err error
		switch b.Type {
		case "PRIVATE KEY":
			i.key, err = parseKey(b.Bytes)
		case "CERTIFICATE":
			i.Cert, err = x509.ParseCertificate(b.Bytes)
		}
		if err != nil {
			return nil, err
		}
	}
	if i.key == nil || i.Cert == nil || !i.key.PublicKey.Equal(i.Cert.PublicKey) {
		return nil, errors.New("it holds no certificate with its key")
	}
	if len(i.Cert.URIs) != 1 {
		return nil, errors.New("the certificate does not say which agent it is for")
	}
	q := i.Cert.URIs[0].Query()
	if i.ID, i.Type = q.Get("id"), q.Get("type"); i.ID == "" || i.Type == "" {
		return nil, errors.New("the certificate does not say which agent it is for")
	}
	return i, nil
}

func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key is not ECDSA")
	}
	return k, nil
}

// Save puts a certificate that the server has given for a key, and the certificates by which the server is known, into
// the folder. What cannot be right is refused, and changes nothing.
func (f Folder) Save(key *ecdsa.PrivateKey, cert, roots string) (*Identity, error) {
	keyText, err := keyPEM(key)
	if err != nil {
		return nil, err
	}
	text := append(keyText, cert...)
	i, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("the server's answer: %w", err)
	}
	if i.Roots, err = parseRoots([]byte(roots)); err != nil {
		return nil, fmt.Errorf("the server's answer: %w", err)
	}
	if _, err := f.SaveRoots(roots); err != nil {
		return nil, err
	}
	if err := kvconf.WriteFile(f.file(certFile), text); err != nil {
		return nil, err
	}
	if err := os.Remove(f.file(keyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return i, nil
}

// SaveRoots puts the certificates by which the server is known into the folder.
func (f Folder) SaveRoots(text string) ([]*x509.Certificate, error) {
	roots, err := parseRoots([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the server's answer: %w", err)
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, err
	}
	return roots, kvconf.WriteFile(f.file(rootFile), []byte(text))
}

// Key returns the key for an enrolment. Until that has worked it is the same, so that asking again costs no second use of
// a token.
func (f Folder) Key() (*ecdsa.PrivateKey, error) {
	text, err := readSecret(f.file(keyFile))
	if err == nil {
		if b, _ := pem.Decode(text); b != nil {
			if key, err := parseKey(b.Bytes); err == nil {
				return key, nil
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	if text, err = keyPEM(key); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, err
	}
	return key, kvconf.WriteFile(f.file(keyFile), text)
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// parseRoots reads certificates in PEM.
func parseRoots(text []byte) ([]*x509.Certificate, error) {
	var roots []*x509.Certificate
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, err
		}
		roots = append(roots, c)
	}
	if len(roots) == 0 {
		return nil, errors.New("no certificate in PEM")
	}
	return roots, nil
}

// readSecret reads a file that nobody but its owner may read.
func readSecret(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if others := info.Mode().Perm() & othersMayRead; others != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): run \"chmod 600 %s\", and if somebody may have read it, enrol again", file, info.Mode().Perm(), file)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", file, maxFile)
	}
	return os.ReadFile(file)
}
