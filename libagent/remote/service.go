package remote

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/jkstack/jkframe/v2/hostfile"
	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/policy"
	"github.com/jkstack/jkframe/v2/process"
	"github.com/jkstack/jkframe/v2/wire"
)

// Config says within which bounds a [Service] works. Policy and DataDir are needed.
type Config struct {
	// Policy decides what may happen. It is looked at for every order.
	Policy *policy.Source

	// DataDir is a folder of the service's own, which is made: what runs, output that waits, temporary files.
	DataDir string

	// Audit gets every order and its result. By default, the agent's log does.
	Audit *slog.Logger

	// Keep lists files that the server never writes, beside those of the policy and of the agent's config. By default, none.
	Keep []string
}

// Service answers a server's orders to run commands and to move files.
type Service struct {
	ag      *libagent.Agent
	rules   *policy.Source
	audit   *slog.Logger
	keep    []string
	runner  *process.Runner
	ledger  *process.Ledger
	orphans []process.Orphan
	spool   *l2cache.Spool
	temp    string    // folder for what the server wants somewhere
	buffers sync.Pool // of *buffer

	mu      sync.Mutex // guards what follows
	running map[int]*process.Process
	link    link
	kept    []keptDelivery // the oldest first
}

// Limits of the service's own.
const (
	maxTransfers = 64      // files that are written, and that are read, at once
	maxSpool     = 4 << 30 // bytes of output that wait, of all commands together
)

// Open begins to answer. It is to be called in Setup, and the Service to be closed when the agent stops.
func Open(ag *libagent.Agent, cfg Config) (*Service, error) {
	s := &Service{
		ag: ag, rules: cfg.Policy, audit: cfg.Audit, running: make(map[int]*process.Process),
		keep: append([]string{cfg.Policy.File(), ag.ConfigFile()}, cfg.Keep...), buffers: sync.Pool{New: func() any { return new(buffer) }},
	}
	if s.audit == nil {
		s.audit = ag.Logger()
	}
	now := s.rules.Current()
	if err := now.Check(); err != nil {
		ag.Logger().Warn("everything is refused", "policy", s.rules.File(), "why", err)
	}
	if err := s.open(cfg.DataDir); err != nil {
		return nil, errors.Join(fmt.Errorf("data_dir: %w", err), s.Close())
	}
	s.runner = process.NewRunner(process.Config{Running: now.AtOnce(), Ledger: s.ledger, Group: func(name string) (*limit.Group, error) {
		p := s.rules.Current()
		return ag.NewGroup(limit.GroupConfig{Name: name, Processes: p.MaxProcesses(), Memory: p.Exec.Memory})
	}})
	s.link.renew()
	ag.OnConnect(s.connected)
	ag.Every("outputs", keepTime, s.forgetOld)
	ag.Announce(wire.FeatureExec)
	ag.Announce(wire.FeatureFiles)
	libagent.HandleStream(ag, wire.Exec, s.exec, libagent.AtOnce(now.AtOnce()))
	libagent.HandleNotice(ag, wire.ExecKill, s.kill)
	libagent.Handle(ag, wire.Ls, s.list)
	libagent.Handle(ag, wire.Upload, s.upload, libagent.AtOnce(maxTransfers))
	libagent.HandleStream(ag, wire.Download, s.download, libagent.AtOnce(maxTransfers))
	if err := ag.Go("orphans", s.endOrphans); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open opens what is kept on disk.
func (s *Service) open(dir string) (err error) {
	if s.temp, err = filepath.Abs(filepath.Join(dir, "tmp")); err != nil {
		return err
	}
	// The lock of this one keeps away another agent that was started with the same folder: nothing is touched before.
	if s.spool, err = l2cache.OpenSpool(l2cache.SpoolConfig{Dir: filepath.Join(dir, "output"), Size: maxSpool}); err != nil {
		return err
	}
	// What a former run has left there belongs to commands that have ended. Those of other users read what is put there for
	// them, and cannot list it.
	if err := os.RemoveAll(s.temp); err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(s.temp, 0o711), os.Chmod(dir, 0o711), os.Chmod(s.temp, 0o711)); err != nil {
		return err
	}
	s.ledger, s.orphans, err = process.OpenLedger(filepath.Join(dir, "running"))
	return err
}

// Close ends what runs, in the background too.
func (s *Service) Close() error {
	var errs []error
	if s.runner != nil {
		errs = append(errs, s.runner.Close())
	}
	s.forget(func(keptDelivery) bool { return true })
	if s.spool != nil {
		errs = append(errs, s.spool.Close())
	}
	return errors.Join(errs...)
}

// access is what the policy lets the server reach.
func (s *Service) access(rules *policy.Policy) *hostfile.Access {
	return &hostfile.Access{Read: rules.File.Read, Write: rules.File.Write, Size: rules.MaxFile(), SetID: rules.File.SetID, Keep: s.keep}
}

// writable is what the server may write and remove: what the policy says, and the folder for temporary files if commands may
// run, which need their scripts there.
func (s *Service) writable(rules *policy.Policy) *hostfile.Access {
	access := s.access(rules)
	if rules.Check() == nil && rules.Exec.Enabled {
		access.Write = append(slices.Clone(access.Write), s.temp)
	}
	return access
}
