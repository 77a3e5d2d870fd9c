package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	tokenBytes     = 32   // of chance in a token that is made
	minTokenLength = 16   // of one that somebody else wrote, in characters
	maxTokenLength = 4096 // bytes that are read
)

// token is the hash of the secret that callers of the API must know. The hash has one length whatever is compared, so that
// the time of comparing says nothing.
type token [sha256.Size]byte

func (t token) matches(secret string) bool {
	h := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(t[:], h[:]) == 1
}

// loadToken reads the token from a file, and makes the file with a random token if there is none.
func loadToken(file string) (token, error) {
	secret, err := readToken(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeToken(file); err == nil || errors.Is(err, fs.ErrExist) {
			secret, err = readToken(file)
		}
	}
	if err != nil {
		return token{}, fmt.Errorf("token of the API: %w", err)
	}
	return sha256.Sum256([]byte(secret)), nil
}

func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", file)
	}
	if others := info.Mode().Perm() & othersMayRead; others != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %04o): run \"chmod 600 %s\", and if somebody may have read it, remove it "+
			"to have a new one made", file, info.Mode().Perm(), file)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxTokenLength+1))
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(b))
	switch {
	case len(b) > maxTokenLength:
		return "", fmt.Errorf("%s has more than %d bytes", file, maxTokenLength)
	case len(secret) < minTokenLength:
		return "", fmt.Errorf("%s holds %d characters, a token has at least %d: remove the file to have one made", file, len(secret), minTokenLength)
	case strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("%s holds characters that no HTTP header can carry", file)
	}
	return secret, nil
}

// makeToken makes the file, whole or not at all. It fails with fs.ErrExist if somebody else has made it meanwhile.
func makeToken(file string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".api.token-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	secret := make([]byte, tokenBytes)
	rand.Read(secret) // never fails
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(secret) + "\n")
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	// Unlike a rename, a link replaces nothing, but not every file system has them.
	if err = os.Link(f.Name(), file); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(f.Name(), file)
}
