package pki

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// Rotate makes a CA that is trusted from now on, and does not sign yet. It returns its fingerprint.
func Rotate(dir string) (string, error) {
	if _, err := Open(dir); err != nil {
		return "", err
	}
	c, err := newCA(time.Now())
	if err != nil {
		return "", err
	}
	return Fingerprint(c.cert), c.save(dir)
}

// Activate has the CA with this fingerprint, or the only one whose fingerprint begins so, sign from now on.
func Activate(dir, fingerprint string) (string, error) {
	a, err := Open(dir)
	if err != nil {
		return "", err
	}
	c, err := a.find(fingerprint)
	if err != nil {
		return "", err
	}
	return c.Fingerprint, kvconf.WriteFile(activeFile(dir), []byte(c.Fingerprint+"\n"))
}

// Remove has a CA not be trusted any more: certificates that it has signed are worth nothing from now on. The CA that
// signs cannot be removed.
func Remove(dir, fingerprint string) (string, error) {
	a, err := Open(dir)
	if err != nil {
		return "", err
	}
	c, err := a.find(fingerprint)
	if err != nil {
		return "", err
	}
	if c.Signs {
		return "", errors.New("this CA signs: activate another one first")
	}
	return c.Fingerprint, os.Remove(fileOf(dir, c.Fingerprint))
}

// find returns the CA whose fingerprint begins with a text.
func (a *Authority) find(begin string) (CA, error) {
	begin = strings.TrimPrefix(strings.ToLower(begin), fingerprintPrefix)
	var found []CA
	for _, c := range a.List() {
		if strings.HasPrefix(strings.TrimPrefix(c.Fingerprint, fingerprintPrefix), begin) && begin != "" {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return CA{}, fmt.Errorf("%d CAs in %s have a fingerprint that begins with %q", len(found), filepath.Clean(a.dir), begin)
	}
	return found[0], nil
}
