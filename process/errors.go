package process

import "errors"

// Why a command was not started. What Start returns wraps one of these, and says more.
var (
	// ErrNotFound: there is no such program, in PATH or at the place that was named.
	ErrNotFound = errors.New("command not found")
	// ErrNotExecutable: the file is there, but it is no program of this system, or must not be run.
	ErrNotExecutable = errors.New("command cannot be executed")
	// ErrNoFolder: there is no such working directory.
	ErrNoFolder = errors.New("no such working directory")
	// ErrNoUser: there is no such user, or none was named where one is needed.
	ErrNoUser = errors.New("no such user")
	// ErrDenied: the password is wrong, or this program may not run commands as that user.
	ErrDenied = errors.New("permission denied")
	// ErrBusy: too many commands wait already.
	ErrBusy = errors.New("too many commands wait already")
	// ErrClosed: the Runner is closed.
	ErrClosed = errors.New("closed")
	// ErrInvalid: the command makes no sense on any host.
	ErrInvalid = errors.New("invalid command")
	// ErrUnsupported: this system has no such thing.
	ErrUnsupported = errors.New("not supported on this system")
)
