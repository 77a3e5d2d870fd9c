package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// Kind is what a token is for.
type Kind string

// The kinds of tokens, as their texts begin.
const (
	API   Kind = "jka" // calls the API
	Enrol Kind = "jke" // enrols agents
)

const (
	idBytes     = 6  // of chance in an id
	secretBytes = 32 // of chance in a secret
	textLength  = 3 + 1 + 2*idBytes + 1 + 2*secretBytes

	// maxFile is how large a file of a token may be, in bytes.
	maxFile = 1 << 20
)

// Why a token is none. Whoever presents it should not learn which.
var (
	ErrUnknown = errors.New("there is no such token")
	ErrExpired = errors.New("the token has expired")
	ErrRevoked = errors.New("the token was revoked")
	ErrSpent   = errors.New("the token was used up")
	ErrScope   = errors.New("the token is for another type or id")
)

// Token is what is known of a token.
type Token struct {
	ID      string    `json:"id"`
	Kind    Kind      `json:"kind"`
	Name    string    `json:"name"` // for people: who or what has it
	Hash    string    `json:"hash"` // SHA-256 of the secret, in hexadecimal digits
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero for never
	By      string    `json:"by,omitempty"`     // who made it

	// Of a token for the API.
	Role   string   `json:"role,omitempty"`
	Agents []string `json:"agents,omitempty"` // ids that it may see and reach; with those of Types, empty for all
	Types  []string `json:"types,omitempty"`  // types of agents that it may see and reach
	Rate   int      `json:"rate,omitempty"`   // requests a second, 0 for what the server allows

	// Of a token that enrols.
	AgentType string `json:"agent_type,omitempty"`
	AgentID   string `json:"agent_id,omitempty"` // the only one that it enrols, "" for any new one
	Uses      int    `json:"uses,omitempty"`
}

// Create makes a token and returns its text, which cannot be had again. It fills in ID, Hash and Created.
func Create(dir string, t *Token) (text string, err error) {
	id, secret := make([]byte, idBytes), make([]byte, secretBytes)
	rand.Read(id) // never fails
	rand.Read(secret)
	t.ID, t.Created = hex.EncodeToString(id), time.Now().UTC().Truncate(time.Second)
	t.Hash = hash(hex.EncodeToString(secret))
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return "", err
	}
	if err := secretfile.Create(tokenFile(dir, t.ID), append(b, '\n')); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return string(t.Kind) + "_" + t.ID + "_" + hex.EncodeToString(secret), nil
}

func hash(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// parse takes a text apart. What it returns is safe in the name of a file.
func parse(text string, kind Kind) (id, secret string, ok bool) {
	if len(text) != textLength {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(text, string(kind)+"_")
	if !ok {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, "_")
	return id, secret, ok && isID(id) && isHex(secret)
}

func isID(s string) bool { return len(s) == 2*idBytes && isHex(s) }

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

// matches compares in a time that says nothing.
func (t *Token) matches(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hash(secret))) == 1
}

func tokenFile(dir, id string) string   { return filepath.Join(dir, id+".json") }
func usesFile(dir, id string) string    { return filepath.Join(dir, id+".uses") }
func revokedFile(dir, id string) string { return filepath.Join(dir, id+".revoked") }

// load reads the file of a token.
func load(dir, id string) (*Token, error) {
	b, err := secretfile.Read(tokenFile(dir, id), maxFile)
	if err != nil {
		return nil, err
	}
	t := &Token{}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("%s: %w", tokenFile(dir, id), err)
	}
	if t.ID != id {
		return nil, fmt.Errorf("%s is the file of token %q", tokenFile(dir, id), t.ID)
	}
	return t, nil
}
