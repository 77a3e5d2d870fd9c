package tokens

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// lookEvery is how old the answer to the question whether a token was revoked or removed may be.
const lookEvery = time.Second

// Store checks tokens. Its methods may be called by any number of goroutines at once.
type Store struct {
	dir string

	mu    sync.Mutex // guards the field below, and the files of uses
	known map[string]*known
}

// known is a token that was presented with its secret once.
type known struct {
	token   *Token
	revoked bool
	looked  time.Time
	uses    []Use // nil until they are needed
}

// Use is one enrolment with a token.
type Use struct {
	At        time.Time `json:"at"`
	Agent     string    `json:"agent"`
	Enrolment string    `json:"enrolment"`
	Key       string    `json:"key"` // SHA-256 of the agent's public key
	Remote    string    `json:"remote"`
}

// Open opens a folder of tokens, and makes it if it is missing.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return &Store{dir: dir, known: make(map[string]*known)}, nil
}

// find returns a token that may be used now. The caller holds s.mu.
func (s *Store) find(text string, kind Kind, now time.Time) (*known, error) {
	id, secret, ok := parse(text, kind)
	if !ok {
		return nil, ErrUnknown
	}
	k := s.known[id]
	if k == nil {
		t, err := load(s.dir, id)
		if errors.Is(err, fs.ErrNotExist) {
			t, err = &Token{}, nil // compared all the same: how long it takes says nothing
		}
		if err != nil {
			return nil, err
		}
		k = &known{token: t}
	}
	if !k.token.matches(secret) || k.token.Kind != kind {
		return nil, ErrUnknown
	}
	s.known[id] = k
	if now.Sub(k.looked) >= lookEvery || now.Before(k.looked) {
		if _, err := os.Lstat(tokenFile(s.dir, id)); errors.Is(err, fs.ErrNotExist) { // somebody has removed it
			delete(s.known, id)
			return nil, ErrUnknown
		}
		_, err := os.Lstat(revokedFile(s.dir, id))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		k.looked, k.revoked = now, err == nil
	}
	switch {
	case k.revoked:
		return k, ErrRevoked
	case !k.token.Expires.IsZero() && !now.Before(k.token.Expires):
		return k, ErrExpired
	}
	return k, nil
}

// API returns the token for the API with this text, or why it is none. With an error there may be a token: it was the
// right secret, and cannot be used any more.
func (s *Store) API(text string, now time.Time) (*Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.find(text, API, now)
	if k == nil {
		return nil, err
	}
	return k.token, err
}

// Check says whether a token could be spent for an enrolment, and whether it was already, by the same key.
func (s *Store) Check(text, agentType string, u Use) (t *Token, again bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, earlier, err := s.enrolling(text, agentType, u)
	if k == nil {
		return nil, false, err
	}
	return k.token, earlier != nil, err
}

// Spend uses a token once for the enrolment of an agent, and writes that down before it returns. Of any number that come
// at once with the last use of a token, one gets it. The use that it returns is u, or an earlier one with the same key:
// an agent that has not got its answer may ask again.
func (s *Store) Spend(text, agentType string, u Use) (*Token, Use, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, earlier, err := s.enrolling(text, agentType, u)
	switch {
	case k == nil:
		return nil, u, err
	case err != nil:
		return k.token, u, err
	case earlier != nil:
		return k.token, *earlier, nil
	}
	if err := appendUse(s.dir, k.token.ID, u); err != nil {
		return k.token, u, err
	}
	k.uses = append(k.uses, u)
	return k.token, u, nil
}

// enrolling returns a token that may enrol an agent, and its earlier use with the same key. The caller holds s.mu.
func (s *Store) enrolling(text, agentType string, u Use) (k *known, earlier *Use, err error) {
	k, err = s.find(text, Enrol, u.At)
	if err != nil {
		return k, nil, err
	}
	t := k.token
	if t.AgentType != agentType || t.AgentID != "" && t.AgentID != u.Agent {
		return k, nil, ErrScope
	}
	if k.uses == nil {
		if k.uses, err = readUses(s.dir, t.ID); err != nil {
			return k, nil, err
		}
	}
	for i := range k.uses {
		if k.uses[i].Key == u.Key {
			return k, &k.uses[i], nil
		}
	}
	if len(k.uses) >= t.Uses {
		return k, nil, ErrSpent
	}
	return k, nil, nil
}

// readUses returns how a token was used. A line that a crash has cut was not answered, and is none.
func readUses(dir, id string) ([]Use, error) {
	b, err := os.ReadFile(usesFile(dir, id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	uses := []Use{}
	for line := range bytes.Lines(b) {
		var u Use
		if json.Unmarshal(line, &u) == nil {
			uses = append(uses, u)
		}
	}
	return uses, nil
}

func appendUse(dir, id string, u Use) error {
	line, err := json.Marshal(u)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(usesFile(dir, id), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(append([]byte{'\n'}, line...), '\n')) // the first ends a line that a crash has cut
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// State is a token and what has become of it.
type State struct {
	Token
	Used    []Use
	Revoked bool
}

// List returns the tokens of a folder. Those whose files cannot be read, and are none for the server either, are left out and named by
// the error.
func List(dir string) ([]State, error) {
	files, err := secretfile.Names(dir, "", ".json")
	if err != nil {
		return nil, err
	}
	var all []State
	var wrong []error
	for _, file := range files {
		s, err := stateOf(dir, strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		all = append(all, s)
	}
	return all, errors.Join(wrong...)
}

func stateOf(dir, id string) (s State, err error) {
	t, err := load(dir, id)
	if err != nil {
		return s, err
	}
	s.Token = *t
	if s.Used, err = readUses(dir, id); err != nil {
		return s, err
	}
	_, err = os.Lstat(revokedFile(dir, id))
	s.Revoked = err == nil
	return s, nil
}

// Revoke has the token with this id, or the only one with this name, be worth nothing from now on: a server that runs
// notices within a second. One whose file cannot be read is revoked by its id alone. With an error that names such files, the token
// that is returned is revoked all the same; without one it is the zero Token.
func Revoke(dir, idOrName string) (Token, error) {
	all, wrong := List(dir)
	var found []Token
	for _, s := range all {
		if !s.Revoked && (s.ID == idOrName || s.Name == idOrName) {
			found = append(found, s.Token)
		}
	}
	if len(found) == 0 && wrong != nil && isID(idOrName) {
		if _, err := os.Lstat(tokenFile(dir, idOrName)); err == nil {
			found = append(found, Token{ID: idOrName})
		}
	}
	if len(found) != 1 {
		return Token{}, errors.Join(fmt.Errorf("%d tokens have the id or the name %q", len(found), idOrName), wrong)
	}
	if err := secretfile.Create(revokedFile(dir, found[0].ID), nil); err != nil && !errors.Is(err, fs.ErrExist) {
		return Token{}, err
	}
	return found[0], wrong
}
