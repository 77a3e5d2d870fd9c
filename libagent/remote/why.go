package remote

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/jkstack/jkframe/v2/hostfile"
	"github.com/jkstack/jkframe/v2/policy"
	"github.com/jkstack/jkframe/v2/process"
	"github.com/jkstack/jkframe/v2/wire"
)

// why says for programs why something was not done.
func why(err error) string {
	for _, w := range []struct {
		err error
		why string
	}{
		{policy.ErrRefused, wire.WhyPolicy},
		{hostfile.ErrOutside, wire.WhyPolicy},
		{hostfile.ErrMode, wire.WhyPolicy},
		{hostfile.ErrTooLarge, wire.WhyNoSpace},
		{syscall.ENOSPC, wire.WhyNoSpace},
		{process.ErrBusy, wire.WhyBusy},
		{process.ErrNotFound, wire.WhyNotFound},
		{process.ErrNotExecutable, wire.WhyNotExecutable},
		{process.ErrNoFolder, wire.WhyNoFolder},
		{process.ErrNoUser, wire.WhyNoUser},
		{hostfile.ErrNoUser, wire.WhyNoUser},
		{process.ErrDenied, wire.WhyDenied},
		{process.ErrClosed, wire.WhyStopped},
		{hostfile.ErrNotFile, wire.WhyNotFile},
		{hostfile.ErrNotFolder, wire.WhyNotFile},
		{hostfile.ErrChecksum, wire.WhyChecksum},
		{hostfile.ErrSize, wire.WhyChecksum},
		{hostfile.ErrChanged, wire.WhyChanged},
		{fs.ErrNotExist, wire.WhyNotFound},
		{fs.ErrPermission, wire.WhyDenied},
	} {
		if errors.Is(err, w.err) {
			return w.why
		}
	}
	return wire.WhyFailed
}

// detail is what a peer is told that has asked for it.
func detail(asked bool, why string) string {
	if !asked {
		return ""
	}
	return why
}
