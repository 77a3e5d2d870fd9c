package policy

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// ErrRefused is what every refusal wraps: the policy has decided so, and asking again is of no use.
var ErrRefused = errors.New("refused by the host's policy")

// Policy is what a file says. Its zero value refuses everything. It is not changed once it was read.
type Policy struct {
	Exec Exec `kv:"exec"`
	File File `kv:"file"`

	file string // where it was read
	bad  error  // why everything is refused
}

// Exec says which commands may run.
type Exec struct {
	// Enabled lets commands run at all. By default, none does.
	Enabled bool `kv:"enabled" desc:"whether commands may run at all"`

	// Allow lists patterns of commands, see [Policy.Command]; * is all. By default, none.
	Allow []string `kv:"allow" desc:"commands that may run: names, paths, with arguments if need be; * for all"`

	// Deny lists patterns of commands that may not run though Allow has them. By default, none.
	Deny []string `kv:"deny" desc:"commands that may not run all the same"`

	// Shell lets command lines run, whatever Allow has. By default, they run if Allow is *, and only then.
	Shell *bool `kv:"shell" desc:"whether command lines are given to the shell, which runs anything"`

	// Users lists patterns of users that commands may run as, beside the agent's own; * is all. By default, none.
	Users []string `kv:"users" desc:"users that commands may run as, beside the agent's own; * for all"`

	// Env lists patterns of variables that may be set for a command. By default, all if Allow is *, else none: variables can make
	// a program run another one.
	Env []string `kv:"env" desc:"variables that may be set for a command, such as LC_*"`

	// Timeout is how long a command may run at most. By default, as long as was asked for.
	Timeout time.Duration `kv:"timeout" desc:"how long a command may run at most; 0: as long as was asked for"`

	// Output is how many bytes of a command's output are kept. By default, 64 MiB.
	Output int64 `kv:"output,bytes" desc:"how much of a command's output is kept"`

	// AtOnce is how many commands run at once; more wait. By default, 64. It holds from the agent's next start on.
	AtOnce int `kv:"at_once" desc:"how many commands run at once; more wait their turn"`

	// Processes and Memory bound each command, with all that it starts, where the host has control groups or job objects. By
	// default, 4096 processes, and as much memory as the agent may have.
	Processes int   `kv:"processes" desc:"how many processes a command may have; 0: 4096"`
	Memory    int64 `kv:"memory,bytes" desc:"how much memory a command may have; 0: as much as the agent"`
}

// File says which files may be read and written.
type File struct {
	// Read and Write list folders, with all that is below them; / is everything. By default, none.
	Read  []string `kv:"read" desc:"folders whose files may be read; / for all"`
	Write []string `kv:"write" desc:"folders whose files may be written; / for all"`

	// Size is how large a file may be that is written, in bytes. By default, 16 GiB.
	Size int64 `kv:"size,bytes" desc:"how large a file may be that is written"`

	// SetID lets files be written with the setuid, setgid or sticky bit. By default, they are refused.
	SetID bool `kv:"setid" desc:"whether files may be written with the bits setuid, setgid and sticky"`
}

// Defaults of what bounds, rather than allows.
const (
	defaultOutput    = 64 << 20
	defaultSize      = 16 << 30
	defaultAtOnce    = 64
	defaultProcesses = 4096
)

// Parse reads a policy; file is its name for errors. What is wrong is told all at once, with lines and columns, and an unknown key is
// wrong too: what was meant to be refused must not be allowed for a slip of the pen.
func Parse(data []byte, file string) (*Policy, error) {
	p := &Policy{file: file}
	if err := kvconf.NewDecoder(bytes.NewReader(data)).File(file).Decode(p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// check says what makes no sense.
func (p *Policy) check() error {
	var errs []error
	for key, n := range map[string]int64{
		"exec.timeout": int64(p.Exec.Timeout), "exec.output": p.Exec.Output, "exec.at_once": int64(p.Exec.AtOnce),
		"exec.processes": int64(p.Exec.Processes), "exec.memory": p.Exec.Memory, "file.size": p.File.Size,
	} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("%s: %d is less than nothing", key, n))
		}
	}
	for key, list := range map[string][]string{"file.read": p.File.Read, "file.write": p.File.Write} {
		for _, folder := range list {
			if !filepath.IsAbs(folder) {
				errs = append(errs, fmt.Errorf("%s: %q is no absolute path", key, folder))
			}
		}
	}
	for key, list := range map[string][]string{"exec.allow": p.Exec.Allow, "exec.deny": p.Exec.Deny} {
		for _, pattern := range list {
			if strings.TrimSpace(pattern) == "" {
				errs = append(errs, fmt.Errorf("%s: an empty pattern", key))
			}
		}
	}
	return errors.Join(errs...)
}

// MaxTimeout is how long a command may run that was asked to run for d, 0 for ever.
func (p *Policy) MaxTimeout(d time.Duration) time.Duration {
	if most := p.Exec.Timeout; most > 0 && (d <= 0 || d > most) {
		return most
	}
	return d
}

// MaxOutput is how many bytes of a command's output are kept.
func (p *Policy) MaxOutput() int64 { return orDefault(p.Exec.Output, defaultOutput) }

// MaxProcesses is how many processes a command may have.
func (p *Policy) MaxProcesses() int { return int(orDefault(int64(p.Exec.Processes), defaultProcesses)) }

// AtOnce is how many commands run at once.
func (p *Policy) AtOnce() int { return int(orDefault(int64(p.Exec.AtOnce), defaultAtOnce)) }

// MaxFile is how large a file may be that is written, in bytes.
func (p *Policy) MaxFile() int64 { return orDefault(p.File.Size, defaultSize) }

func orDefault(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}

// refuse is a refusal, with the place of the rule.
func (p *Policy) refuse(format string, args ...any) error {
	if p.file == "" {
		return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
	}
	return fmt.Errorf("%w: %s (%s)", ErrRefused, fmt.Sprintf(format, args...), p.file)
}

// Files says whether files may be read and written at all, in the folders of File; which one it is, is for whoever opens it.
func (p *Policy) Files() error {
	if p.bad != nil {
		return p.refuse("%v", p.bad)
	}
	return nil
}
