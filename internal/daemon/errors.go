package daemon

import "errors"

// What a command that is about a service may find.
var (
	ErrNotInstalled = errors.New("not installed as a service")
	ErrNotRunning   = errors.New("does not run")
)

// Exit codes of the programs, as scripts of System V have them where those have one.
const (
	ExitOK           = 0
	ExitFailed       = 1 // what was asked for could not be done, a config that cannot be used included
	ExitUsage        = 2 // the command line was not understood
	ExitNotRunning   = 3 // the service, or the program, does not run
	ExitNotInstalled = 4 // the service manager does not know the service
)

// ExitCode returns the exit code of a command that was understood.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, ErrNotRunning):
		return ExitNotRunning
	case errors.Is(err, ErrNotInstalled):
		return ExitNotInstalled
	}
	return ExitFailed
}
