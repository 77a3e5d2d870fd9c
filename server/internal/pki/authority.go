package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// Authority signs and checks certificates. Its methods may be called by any number of goroutines at once.
type Authority struct {
	dir string

	mu      sync.RWMutex // guards the fields below
	cas     []*ca        // the first one signs
	pool    *x509.CertPool
	bundle  []byte
	changed time.Time // of the folder, when it was read
	read    time.Time // when it was
}

// load reads the folder.
func (a *Authority) load() error {
	info, err := os.Stat(a.dir)
	if err != nil {
		return err
	}
	read := time.Now()
	active, err := readActive(a.dir)
	if err != nil {
		return err
	}
	files, err := secretfile.Names(a.dir, filePrefix, fileSuffix)
	if err != nil {
		return err
	}
	var cas []*ca
	for _, file := range files {
		c, err := loadCA(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return err
		}
		if Fingerprint(c.cert) == active {
			cas = slices.Insert(cas, 0, c)
		} else {
			cas = append(cas, c)
		}
	}
	if len(cas) == 0 || Fingerprint(cas[0].cert) != active {
		return fmt.Errorf("%s names a CA that is not there: %q", activeFile(a.dir), active)
	}
	pool, bundle := x509.NewCertPool(), []byte(nil)
	for _, c := range cas {
		pool.AddCert(c.cert)
		bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})...)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cas, a.pool, a.bundle, a.changed, a.read = cas, pool, bundle, info.ModTime(), read
	return nil
}

// coarse is how long a folder that was just changed may be changed again without a new time.
const coarse = 2 * time.Second

// Refresh reads the folder again if somebody has changed it, and reports whether anything is different now. After an
// error everything is as it was.
func (a *Authority) Refresh() (bool, error) {
	info, err := os.Stat(a.dir)
	if err != nil {
		return false, fmt.Errorf("certificate authority: %w", err)
	}
	a.mu.RLock()
	same := info.ModTime().Equal(a.changed) && a.read.Sub(a.changed) > coarse
	before := string(a.bundle)
	a.mu.RUnlock()
	if same {
		return false, nil
	}
	if err := a.load(); err != nil {
		return false, fmt.Errorf("certificate authority: %w", err)
	}
	return string(a.Bundle()) != before, nil
}

// Bundle returns the certificates of all CAs as PEM; the one that signs comes first.
func (a *Authority) Bundle() []byte {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.bundle
}

// Fingerprint names the CA that signs.
func (a *Authority) Fingerprint() string { return Fingerprint(a.signer().cert) }

func (a *Authority) signer() *ca {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.cas[0]
}

// CA is what there is to know of a CA.
type CA struct {
	Fingerprint string
	Name        string
	NotAfter    time.Time
	Signs       bool
}

// List returns the CAs; the one that signs comes first.
func (a *Authority) List() []CA {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var all []CA
	for i, c := range a.cas {
		all = append(all, CA{Fingerprint(c.cert), c.cert.Subject.CommonName, c.cert.NotAfter, i == 0})
	}
	return all
}

// chain is a certificate with the CA that has signed it: who knows only the fingerprint of the CA must see it.
func chain(der []byte, signer *ca, key any) *tls.Certificate {
	leaf, _ := x509.ParseCertificate(der) // made by ourselves
	return &tls.Certificate{Certificate: [][]byte{der, signer.cert.Raw}, PrivateKey: key, Leaf: leaf}
}
