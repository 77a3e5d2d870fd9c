package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"
)

// start starts a command whose turn has come. With no error, a goroutine of its own gives back its place.
func (r *Runner) start(ctx context.Context, c Command) (*Process, error) {
	if err := checkFolder(c.Dir); err != nil {
		return nil, err
	}
	if c.Terminal != nil && c.Stdin == nil {
		c.Stdin = strings.NewReader("") // a terminal is not at its end by itself
	}
	cmd, login, err := prepare(&c)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, grace: r.cfg.Grace, hurry: r.cfg.StopGrace, asked: make(chan Reason, 1), done: make(chan struct{}), stdin: c.Stdin}
	note, err := r.cfg.Ledger.begin(&c, cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name(), err)
	}
	started := false
	defer func() {
		if !started {
			note.end()
		}
	}()
	io, err := openIO(&c, login)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name(), err)
	}
	io.attach(cmd)
	if p.group, err = r.cfg.Group(note.group()); err != nil {
		io.closeAll()
		return nil, fmt.Errorf("start %s: %w", c.name(), err)
	}
	p.begin = time.Now()
	if err := p.group.Start(cmd); err != nil {
		io.closeAll()
		return nil, errors.Join(startError(&c, cmd, err), p.group.Close())
	}
	io.closeChild()
	p.pid, p.terminal = cmd.Process.Pid, io.terminal
	if io.input != nil {
		p.input = io.input
	}
	p.output = newOutput(io.output, &c)
	if login != nil {
		if err := login.talk(ctx, p); err != nil {
			p.abandon()
			return nil, err
		}
	}
	if p.stdin == nil && p.input != nil && p.terminal == nil {
		_ = p.input.Close() // was there for a password alone
		p.input = nil
	}
	started = true
	note.started(p.pid)
	r.add(p)
	go func() {
		defer r.all.Done() // Close waits for it
		p.supervise(ctx, c.Timeout)
		p.result.Background = r.remove(p, p.result.Reason == Itself)
		note.end()
		<-r.slots
		close(p.done)
	}()
	return p, nil
}

// abandon ends a command that never came to run.
func (p *Process) abandon() {
	_ = p.group.Close()
	_ = p.cmd.Wait()
	p.output.close()
	if p.input != nil {
		_ = p.input.Close()
	}
}

// checkFolder tells a missing working directory apart from a missing program, which the system does not.
func checkFolder(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %q: %w", ErrNoFolder, dir, errors.Unwrap(err))
	case !info.IsDir():
		return fmt.Errorf("%w: %q is no folder", ErrNoFolder, dir)
	}
	return nil
}

// startError says in our words why the system did not start a command.
func startError(c *Command, cmd *exec.Cmd, err error) error {
	var path *fs.PathError
	cause := err
	if errors.As(err, &path) {
		cause = path.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist): // it was there when it was looked for: what its first line names is not
		return fmt.Errorf("%w: %q: the program that its first line names was not found", ErrNotExecutable, cmd.Path)
	case errors.Is(err, fs.ErrPermission) && c.User != "" && c.Dir != "": // the system does not say to which of them
		return fmt.Errorf("%w: %q, in %q as %q: %w", ErrNotExecutable, cmd.Path, c.Dir, c.User, cause)
	case errors.Is(err, fs.ErrPermission), notExecutable(err):
		return fmt.Errorf("%w: %q: %w", ErrNotExecutable, cmd.Path, cause)
	}
	return fmt.Errorf("start %s: %w", c.name(), cause)
}
