package limit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// GroupConfig is what is asked for a group of children. Its zero value limits nothing: such a group is there to be killed
// as a whole, and to be accounted for. Whatever it says, the children stay within the limits of the program.
type GroupConfig struct {
	// Name names the group, "task-<Name>" within that of the program. One that a dead run left is taken over, with the
	// processes in it. By default, a number.
	Name string

	// CPUQuota, Memory and Disk are as in Config.
	CPUQuota int
	Memory   int64
	Disk     []Disk

	// Processes is how many processes and threads the group may have at once; a fork beyond it fails. By default, no
	// limit.
	Processes int
}

// Validate says what in c makes no sense on any host, all of it at once; nil when there is nothing.
func (c GroupConfig) Validate() error {
	err := c.config().Validate()
	if c.Processes < 0 {
		err = errors.Join(err, fmt.Errorf("processes: %d is less than none", c.Processes))
	}
	return err
}

// config is what c has in common with what a program asks for itself.
func (c GroupConfig) config() Config {
	return Config{Name: c.Name, CPUQuota: c.CPUQuota, Memory: c.Memory, Disk: c.Disk}
}

// results lists the limits that c asks for, with nothing holding them and note saying why.
func (c GroupConfig) results(note string) []Result {
	all := c.config().results(note)
	if c.Processes > 0 {
		all = append(all, Result{Limit: Processes, Want: uint64(c.Processes), Mechanism: None, Note: note})
	}
	return all
}

// Usage is what the processes of a group have used since it was made, those that have ended included. What the
// group's mechanism does not count is zero: without a control group or job object that is all but CPU and Processes, which
// then are of the processes that live.
type Usage struct {
	CPU         time.Duration `json:"cpu"`          // in user and kernel mode
	MemoryPeak  uint64        `json:"memory_peak"`  // bytes at the most
	OOMKills    uint64        `json:"oom_kills"`    // processes that the kernel killed for want of memory
	Processes   int           `json:"processes"`    // that live now, not counting their threads
	ForksDenied uint64        `json:"forks_denied"` // for the limit of processes
}

// ErrClosed is what a Group or an Applied answers after Close.
var ErrClosed = errors.New("closed")

// Group holds children of this process, with theirs, however they detach themselves: a new session or a second fork does
// not lead out of it. A child that runs as root may leave a control group, by writing to its files; of a process tree (see
// [ProcessTree]) one gets away that takes a new session, loses its parents and clears its environment. Methods may be called
// at any time by any goroutine.
type Group struct {
	name      string
	results   []Result
	mechanism Mechanism
	forget    func() // takes it off the list of its owner

	mu      sync.Mutex // guards members and last; held while a child is started, so that Kill does not miss it
	members members    // nil after Close
	last    Usage      // at Close
}

// members is what a group is made of.
type members interface {
	// start starts cmd so that it is a member before it runs. It may change cmd.SysProcAttr, which is not nil.
	start(cmd *exec.Cmd) error
	// kill kills what is a member now.
	kill() error
	usage() (Usage, error)
	// close kills what is left and removes the group. It waits for the members to end, 5 s at most.
	close() (Usage, error)
}

// NewGroup makes a group for children, within the limits of a. Its error says what in c makes no sense; what this host
// cannot do is in [Group.Results], as with [Apply]. A group without a single mechanism still starts and kills.
//
// On Linux it is a control group where there are any to be had. With version 2 and a program that has no limits of its
// own, the first group makes the program move into a control group of its own, as Apply does.
//
// A nil a makes a group without control groups.
func (a *Applied) NewGroup(c GroupConfig) (*Group, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("limits of group: %w", err)
	}
	g := &Group{name: c.Name, forget: func() {}}
	if a == nil {
		var none host
		return g, none.open(g, c)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, ErrClosed
	}
	if c.Name == "" {
		a.made++
		c.Name = fmt.Sprintf("%d-%d", os.Getpid(), a.made)
	}
	g.name = c.Name
	if slices.ContainsFunc(a.groups, func(other *Group) bool { return other.name == c.Name }) {
		return nil, fmt.Errorf("there is a group %q already", c.Name)
	}
	if err := a.host.open(g, c); err != nil {
		return nil, fmt.Errorf("make group %q: %w", c.Name, err)
	}
	a.groups = append(a.groups, g)
	g.forget = func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.groups = slices.DeleteFunc(a.groups, func(other *Group) bool { return other == g })
	}
	return g, nil
}

// Results tells of each limit that was asked for. The slice is the caller's own.
func (g *Group) Results() []Result { return slices.Clone(g.results) }

// Mechanism is what keeps the group's processes together.
func (g *Group) Mechanism() Mechanism { return g.mechanism }

// Start starts cmd in the group: there is no moment in which it runs outside. Everything else is as with [exec.Cmd.Start],
// and the caller calls cmd.Wait. Start sets fields of a copy of cmd.SysProcAttr, and of cmd.Env.
func (g *Group) Start(cmd *exec.Cmd) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members == nil {
		return ErrClosed
	}
	var attr syscall.SysProcAttr // not the caller's: it may be that of other commands, too
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	cmd.SysProcAttr = &attr
	return g.members.start(cmd)
}

// Kill kills every process of the group, and does not wait for their end. The group can be used again.
func (g *Group) Kill() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members == nil {
		return nil
	}
	return g.members.kill()
}

// Usage tells what the group has used. After Close, it is what was used until then.
func (g *Group) Usage() (Usage, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members == nil {
		return g.last, nil
	}
	return g.members.usage()
}

// Close kills what is left in the group and removes it. It waits for the processes to end, for at most 5 s: one that the
// kernel cannot end, as it waits for a dead disk, is an error. Calling Close again does nothing.
func (g *Group) Close() error {
	g.forget()
	return g.close()
}

func (g *Group) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members == nil {
		return nil
	}
	var err error
	g.last, err = g.members.close()
	g.members = nil
	return err
}
