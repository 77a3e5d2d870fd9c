package server

import (
	"path/filepath"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/internal/roster"
	"github.com/jkstack/jkframe/v2/server/internal/tokens"
)

// The folders of what decides who may do what. Commands write there while a server runs.
func (c Config) caDir() string     { return filepath.Join(c.DataDir, "pki") }
func (c Config) agentsDir() string { return filepath.Join(c.DataDir, "agents") }
func (c Config) tokensDir() string { return filepath.Join(c.DataDir, "tokens") }
func (c Config) auditDir() string  { return filepath.Join(c.DataDir, "audit") }

// identity is all of it.
type identity struct {
	certs  *certs
	roster *roster.Roster
	tokens *tokens.Store
	audit  *audit.Log
}

func openIdentity(cfg Config) (id identity, err error) {
	if id.certs, err = openCerts(cfg.caDir(), cfg.TLS); err != nil {
		return id, err
	}
	if id.roster, err = roster.Open(cfg.agentsDir()); err != nil {
		return id, err
	}
	if id.tokens, err = tokens.Open(cfg.tokensDir()); err != nil {
		return id, err
	}
	id.audit, err = audit.Open(audit.Config{Dir: cfg.auditDir(), Size: cfg.Audit.Size, Age: cfg.Audit.Age})
	return id, err
}
