package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

const (
	tokenBytes     = 32   // of chance in a token that is made
	minTokenLength = 16   // of one that somebody else wrote, in characters
	maxTokenLength = 4096 // bytes that are read
)

// rootToken is the hash of the secret in api.token_file, which may do everything. The hash has one length whatever is
// compared, so that the time of comparing says nothing.
type rootToken struct {
	file string

	mu    sync.RWMutex // guards the fields below
	hash  [sha256.Size]byte
	stamp time.Time // when the file was changed
}

func (t *rootToken) matches(secret string) bool {
	h := sha256.Sum256([]byte(secret))
	t.mu.RLock()
	defer t.mu.RUnlock()
	return subtle.ConstantTimeCompare(t.hash[:], h[:]) == 1
}

// refresh reads the file again when it has changed. While it is missing or cannot be used, the last token stays good.
func (t *rootToken) refresh() error {
	info, err := os.Stat(t.file)
	if err != nil {
		return fmt.Errorf("token of the API: %w", err)
	}
	t.mu.RLock()
	same := info.ModTime().Equal(t.stamp)
	t.mu.RUnlock()
	if same {
		return nil
	}
	secret, err := readToken(t.file)
	if err != nil {
		return fmt.Errorf("token of the API: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hash, t.stamp = sha256.Sum256([]byte(secret)), info.ModTime()
	return nil
}

// loadToken reads the token from a file, and makes the file with a random token if there is none.
func loadToken(file string) (*rootToken, error) {
	t := &rootToken{file: file}
	err := t.refresh()
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeToken(file); err == nil || errors.Is(err, fs.ErrExist) {
			err = t.refresh()
		}
	}
	return t, err
}

func readToken(file string) (string, error) {
	b, err := secretfile.Read(file, maxTokenLength)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(b))
	switch {
	case len(secret) < minTokenLength:
		return "", fmt.Errorf("%s holds %d characters, a token has at least %d: remove the file to have one made", file, len(secret), minTokenLength)
	case strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("%s holds characters that no HTTP header can carry", file)
	}
	return secret, nil
}

// makeToken makes the file, whole or not at all. It fails with fs.ErrExist if somebody else has made it meanwhile.
func makeToken(file string) error {
	secret := make([]byte, tokenBytes)
	rand.Read(secret) // never fails
	return secretfile.Create(file, []byte(base64.RawURLEncoding.EncodeToString(secret)+"\n"))
}
