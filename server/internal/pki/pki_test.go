package pki_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/pki"
)

func open(t testing.TB, dir string) *pki.Authority {
	t.Helper()
	a, err := pki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate of an agent.
func issue(t testing.TB, a *pki.Authority, id pki.Identity, begin time.Time) *x509.Certificate {
	t.Helper()
	der, serial, err := a.Agent(&newKey(t).PublicKey, id, time.Hour, begin)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if got := pki.Serial(c); got != serial {
		t.Errorf("serial %s, want %s", got, serial)
	}
	return c
}

// Servers that start at the same moment on one folder must have one CA: agents pin it.
func TestOneAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b", "pki")
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		found = make(map[string]bool)
	)
	for range 10 {
		all.Go(func() {
			a, err := pki.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			found[a.Fingerprint()] = true
		})
	}
	all.Wait()
	if len(found) != 1 {
		t.Errorf("authorities %v", found)
	}
	if runtime.GOOS == "windows" {
		return
	}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What a certificate says of an agent comes back as it was, whatever the id is.
func TestIdentity(t *testing.T) {
	a := open(t, t.TempDir())
	for _, id := range []string{"host-17", "a b", "ä/ö?x=1&id=2#y%", "北京-01", strings.Repeat("x", 255), "a%c"} {
		want := pki.Identity{ID: id, Type: "exec-agent", Enrolment: "0123"}
		got, err := a.Verify(issue(t, a, want, time.Now()), time.Now())
		if err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
}

// Agents are told from servers, from strangers, and from agents of another time.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	a, other := open(t, dir), open(t, t.TempDir())
	id, now := pki.Identity{ID: "x", Type: "y", Enrolment: "z"}, time.Now()
	srv, err := a.Server([]string{"example.com", "192.0.2.1"}, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cert *x509.Certificate
		want error
	}{
		{"good", issue(t, a, id, now), nil},
		{"expired", issue(t, a, id, now.Add(-2*time.Hour)), pki.ErrExpired},
		{"too early", issue(t, a, id, now.Add(2*time.Hour)), pki.ErrExpired},
		{"another authority", issue(t, other, id, now), pki.ErrForeign},
		{"a server", srv.Leaf, pki.ErrForeign},
	} {
		if _, err := a.Verify(tt.cert, now); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	// An agent's certificate serves no server.
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.Bundle())
	if _, err := issue(t, a, id, now).Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err == nil {
		t.Error("an agent's certificate is good for a server")
	}
	for _, name := range []string{"example.com", "192.0.2.1"} {
		if _, err := srv.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Error(err)
		}
	}
	if len(srv.Certificate) != 2 {
		t.Error("a server does not show its CA, so nobody can pin it")
	}
	var _ tls.Certificate = *srv
}

// A new CA takes over while certificates of the old one are good, and the old one ends.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	id, now, first := pki.Identity{ID: "x", Type: "y", Enrolment: "z"}, time.Now(), a.Fingerprint()
	old := issue(t, a, id, now)
	refresh := func(changed bool) {
		t.Helper()
		if got, err := a.Refresh(); err != nil || got != changed {
			t.Fatalf("changed %v, %v, want %v", got, err, changed)
		}
	}
	refresh(false)
	second, err := pki.Rotate(dir)
	if err != nil {
		t.Fatal(err)
	}
	refresh(true)
	if a.Fingerprint() != first || len(a.List()) != 2 || strings.Count(string(a.Bundle()), "BEGIN") != 2 {
		t.Errorf("after rotate %v", a.List())
	}
	if got, err := pki.Activate(dir, second[:20]); err != nil || got != second {
		t.Fatal(got, err)
	}
	refresh(true)
	fresh := issue(t, a, id, now)
	if a.Fingerprint() != second || a.IssuedBySigner(old) || !a.IssuedBySigner(fresh) {
		t.Error("the second CA does not sign")
	}
	for _, c := range []*x509.Certificate{old, fresh} {
		if _, err := a.Verify(c, now); err != nil {
			t.Error(err)
		}
	}
	if _, err := pki.Remove(dir, second); err == nil {
		t.Error("the CA that signs was removed")
	}
	if _, err := pki.Remove(dir, "sha256:"); err == nil {
		t.Error("a CA without a name was removed")
	}
	if _, err := pki.Remove(dir, first); err != nil {
		t.Fatal(err)
	}
	refresh(true)
	if _, err := a.Verify(old, now); !errors.Is(err, pki.ErrForeign) {
		t.Errorf("a certificate of the CA that was removed: %v", err)
	}
	if _, err := a.Verify(fresh, now); err != nil {
		t.Error(err)
	}
}

// A folder that is damaged, or that others may read, is an error and no new CA.
func TestDamage(t *testing.T) {
	for name, damage := range map[string]func(dir, file string) error{
		"mode":  func(_, file string) error { return os.Chmod(file, 0o644) },
		"empty": func(_, file string) error { return os.WriteFile(file, nil, 0o600) },
		"gone":  func(_, file string) error { return os.Remove(file) },
		"active": func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "active"), []byte("sha256:00\n"), 0o600)
		},
		"other key": func(_, file string) error { return otherKey(t, file) },
	} {
		if name == "mode" && runtime.GOOS == "windows" {
			continue
		}
		dir := t.TempDir()
		a := open(t, dir)
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasPrefix(f.Name(), "ca-") {
				if err := damage(dir, filepath.Join(dir, f.Name())); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := pki.Open(dir); err == nil {
			t.Errorf("%s: opened", name)
		}
		if _, err := a.Refresh(); err == nil {
			t.Errorf("%s: refreshed", name)
		}
		if a.Fingerprint() == "" {
			t.Errorf("%s: what was open is gone", name)
		}
	}
}

func otherKey(t *testing.T, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(newKey(t))
	if err != nil {
		return err
	}
	at := strings.Index(string(text), "-----BEGIN PRIVATE")
	return os.WriteFile(file, append(text[:at], pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...), 0o600)
}

// A request that is for a key that its sender does not have is refused.
func TestParseRequest(t *testing.T) {
	key := newKey(t)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	if pub, err := pki.ParseRequest(der); err != nil || !pub.Equal(&key.PublicKey) {
		t.Errorf("%v, %v", pub, err)
	}
	der[len(der)-1] ^= 1
	if _, err := pki.ParseRequest(der); err == nil {
		t.Error("a request with another signature was taken")
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if der, err = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p384); err != nil {
		t.Fatal(err)
	}
	if _, err := pki.ParseRequest(der); err == nil {
		t.Error("a key on another curve was taken")
	}
}

func FuzzParseRequest(f *testing.F) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, newKey(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		pub, err := pki.ParseRequest(der)
		if (err == nil) != (pub != nil) {
			t.Errorf("%v, %v", pub, err)
		}
	})
}
