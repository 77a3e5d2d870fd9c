package roster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// Revocation is the end of an enrolment.
type Revocation struct {
	Agent     string    `json:"agent"`
	Enrolment string    `json:"enrolment"`
	At        time.Time `json:"at"`
	By        string    `json:"by"`
}

// revokedDir holds a file for each revocation.
func revokedDir(dir string) string { return filepath.Join(dir, "revoked") }

// coarse is how long a folder that was just changed may be changed again without a new time.
const coarse = 2 * time.Second

// Refresh looks for revocations that somebody has written, and returns those that are new.
func (r *Roster) Refresh() ([]Revocation, error) {
	dir := revokedDir(r.dir)
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	now := time.Now()
	r.mu.RLock()
	same := info.ModTime().Equal(r.changed) && r.read.Sub(r.changed) > coarse
	r.mu.RUnlock()
	if same {
		return nil, nil
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	var fresh []Revocation
	for _, file := range files {
		enrolment, ok := strings.CutSuffix(file.Name(), ".json")
		r.mu.RLock()
		_, known := r.revoked[enrolment]
		r.mu.RUnlock()
		if !ok || known {
			continue
		}
		// What cannot be read is a revocation all the same.
		rev := Revocation{Enrolment: enrolment}
		if b, err := os.ReadFile(filepath.Join(dir, file.Name())); err == nil {
			_ = json.Unmarshal(b, &rev)
			rev.Enrolment = enrolment
		}
		fresh = append(fresh, rev)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range fresh {
		rev := &fresh[i]
		if rev.Agent == "" {
			rev.Agent = r.enrolledAs(rev.Enrolment)
		}
		r.revoked[rev.Enrolment] = *rev
	}
	r.changed, r.read = info.ModTime(), now
	return fresh, nil
}

// enrolledAs returns the id of the agent with an enrolment, "" for none. The caller holds r.mu.
func (r *Roster) enrolledAs(enrolment string) string {
	for _, a := range r.agents {
		if a.Enrolment == enrolment {
			return a.ID
		}
	}
	return ""
}

// Revoke ends the enrolment of an agent: a server that runs notices within a second. To enrol again, the agent needs a
// token that names it.
func Revoke(dir, id, by string) (Revocation, error) {
	b, err := os.ReadFile(agentFile(dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return Revocation{}, fmt.Errorf("agent %q is not enrolled", id)
	}
	if err != nil {
		return Revocation{}, err
	}
	var a Agent
	if err := json.Unmarshal(b, &a); err != nil {
		return Revocation{}, fmt.Errorf("%s: %w", agentFile(dir, id), err)
	}
	rev := Revocation{Agent: id, Enrolment: a.Enrolment, At: time.Now().UTC().Truncate(time.Second), By: by}
	text, err := json.Marshal(rev)
	if err != nil {
		return rev, err
	}
	err = secretfile.Create(filepath.Join(revokedDir(dir), a.Enrolment+".json"), append(text, '\n'))
	if errors.Is(err, fs.ErrExist) {
		return rev, fmt.Errorf("agent %q is revoked already", id)
	}
	return rev, err
}

// State is an enrolled agent and whether it is revoked.
type State struct {
	Agent
	Revoked bool
}

// List returns all agents of a folder.
func List(dir string) ([]State, error) {
	agents, err := readAgents(dir)
	if err != nil {
		return nil, err
	}
	var all []State
	for _, a := range agents {
		_, err := os.Lstat(filepath.Join(revokedDir(dir), a.Enrolment+".json"))
		all = append(all, State{a, err == nil})
	}
	return all, nil
}
