package files

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
)

// tokenHeader carries the token with which an agent fetches or sends a file.
const tokenHeader = "X-Token"

// token opens one transfer to one agent.
type token string

func newToken() token {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return token(hex.EncodeToString(b))
}

// allows reports whether a request has the token.
func (t token) allows(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get(tokenHeader)), []byte(t)) == 1
}
