package roster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// Why the certificate of an agent is worth nothing, though it is genuine.
var (
	// ErrRevoked means that the operator has revoked it.
	ErrRevoked = errors.New("the certificate was revoked")

	// ErrSuperseded means that the agent has a newer one, and has used that: somebody has a copy of the older one, or
	// the host went back to an earlier state of its disk.
	ErrSuperseded = errors.New("the certificate was replaced by a newer one: is this host a copy of another one? Or was data_dir of the server set back?")

	// ErrUnknown means that nothing is known of the agent, though the certificate is of this server's CA.
	ErrUnknown = errors.New("the server does not know the agent of this certificate, who must enrol again: was data_dir of the server set back?")
)

// Agent is an enrolled agent.
type Agent struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Enrolment string    `json:"enrolment"`
	Serial    string    `json:"serial"`            // of its certificate
	Next      string    `json:"next,omitempty"`    // of a renewed one that it has not used yet
	Renewed   bool      `json:"renewed,omitempty"` // since it has enrolled
	NotAfter  time.Time `json:"not_after"`         // when the last one that was made ends
	Issuer    string    `json:"issuer"`            // fingerprint of the CA that has signed it
	Enrolled  time.Time `json:"enrolled"`          // when its token was used
	Token     string    `json:"token"`             // id of the token with which it enrolled
	Remote    string    `json:"remote"`            // from where
}

// Roster is all of them. Its methods may be called by any number of goroutines at once.
type Roster struct {
	dir string

	mu      sync.RWMutex // guards the fields below
	agents  map[string]Agent
	revoked map[string]Revocation // by enrolment
	changed time.Time             // of the folder of revocations, when it was read
	read    time.Time             // when it was

	writing sync.Mutex // held by who writes a file of an agent, so that one is written after the other
}

// Open opens a folder of agents, and makes it if it is missing.
func Open(dir string) (*Roster, error) {
	r := &Roster{dir: dir, agents: make(map[string]Agent), revoked: make(map[string]Revocation)}
	if err := os.MkdirAll(revokedDir(dir), 0o700); err != nil {
		return nil, fmt.Errorf("enrolled agents: %w", err)
	}
	all, err := readAgents(dir)
	if err != nil {
		return nil, fmt.Errorf("enrolled agents: %w", err)
	}
	for _, a := range all {
		r.agents[a.ID] = a
	}
	if _, err := r.Refresh(); err != nil {
		return nil, err
	}
	return r, nil
}

func readAgents(dir string) ([]Agent, error) {
	files, err := secretfile.Names(dir, "", ".json")
	if err != nil {
		return nil, err
	}
	var all []Agent
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var a Agent
		if err := json.Unmarshal(b, &a); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, a)
	}
	return all, nil
}

// agentFile is the file of an agent: an id may hold what no name of a file can.
func agentFile(dir, id string) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(dir, hex.EncodeToString(sum[:16])+".json")
}

// Get returns an enrolled agent, whether it is revoked or not.
func (r *Roster) Get(id string) (Agent, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a, ok := r.agents[id]
	return a, ok
}

// Enrol takes an agent in, or in place of an earlier enrolment of the same one, for which allow must say yes. It is on the
// disk when Enrol returns. An agent that asks again, since the answer to its enrolment was lost, has not renewed a certificate: who
// does so afterwards with the key of the beginning has a copy of it.
func (r *Roster) Enrol(a Agent, allow func(earlier Agent) bool) error {
	return r.update(a.ID, func(old Agent, known bool) (Agent, error) {
		if known && !allow(old) {
			return old, fmt.Errorf("agent %q is enrolled", a.ID)
		}
		if known && old.Enrolment == a.Enrolment { // it asks again: the first answer may have come all the same
			if old.Renewed {
				return old, ErrSuperseded
			}
			a.Serial, a.Next = old.Serial, a.Serial
		}
		return a, nil
	})
}

// Admit says whether a certificate of an agent, which [pki] has found genuine, is good. The first use of a renewed one
// ends the one before.
func (r *Roster) Admit(id, enrolment, serial string) error {
	r.mu.RLock()
	a, known := r.agents[id]
	_, revoked := r.revoked[enrolment]
	r.mu.RUnlock()
	switch {
	case revoked:
		return ErrRevoked
	case !known:
		return ErrUnknown
	case a.Enrolment != enrolment:
		return ErrSuperseded
	case a.Serial == serial:
		return nil
	case a.Next != serial || serial == "":
		return ErrSuperseded
	}
	return r.update(id, func(a Agent, known bool) (Agent, error) {
		if a.Enrolment != enrolment || a.Serial != serial && a.Next != serial {
			return a, ErrSuperseded
		}
		if a.Serial != serial {
			a.Serial, a.Next = serial, ""
		}
		return a, nil
	})
}

// Renew notes that an agent has got a new certificate, which counts from its first use on.
func (r *Roster) Renew(id, enrolment, next, issuer string, notAfter time.Time) error {
	return r.update(id, func(a Agent, known bool) (Agent, error) {
		if _, revoked := r.revoked[enrolment]; !known || revoked {
			return a, ErrRevoked
		}
		if a.Enrolment != enrolment {
			return a, ErrSuperseded
		}
		a.Next, a.Renewed, a.Issuer, a.NotAfter = next, true, issuer, notAfter
		return a, nil
	})
}

// update changes an agent on the disk, and then in memory.
func (r *Roster) update(id string, change func(old Agent, known bool) (Agent, error)) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.RLock()
	old, known := r.agents[id]
	a, err := change(old, known)
	r.mu.RUnlock()
	if err != nil || a == old {
		return err
	}
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := kvconf.WriteFile(agentFile(r.dir, id), append(b, '\n')); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.agents[id] = a
	return nil
}
