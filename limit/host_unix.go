//go:build unix && !linux

package limit

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
)

const noMechanism = "this operating system has no such limits"

// host has nothing to hold limits with.
type host struct {
	name string
}

func (h *host) apply(c Config) []Result {
	return c.results(noMechanism)
}

func (h *host) release() error { return nil }

func (h *host) open(g *Group, c GroupConfig) error {
	g.results = c.results(noMechanism)
	g.members, g.mechanism = &processGroups{}, ProcessTree
	return nil
}

// processGroups is a group of children: the process groups of those that were started. One that makes itself a process
// group of its own gets away.
type processGroups struct {
	leaders []int
}

var _ members = (*processGroups)(nil)

func (p *processGroups) start(cmd *exec.Cmd) error {
	if !cmd.SysProcAttr.Setsid {
		cmd.SysProcAttr.Setpgid = true
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.leaders = append(p.leaders, cmd.Process.Pid)
	return nil
}

func (p *processGroups) kill() error {
	var errs []error
	for _, pid := range p.leaders {
		if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("kill process group %d: %w", pid, err))
		}
	}
	return errors.Join(errs...)
}

func (p *processGroups) usage() (Usage, error) { return Usage{}, nil }

func (p *processGroups) close() (Usage, error) { return Usage{}, p.kill() }
