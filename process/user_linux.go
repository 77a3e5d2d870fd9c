package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// defaultPath is the PATH of another user's command.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// prepare makes what is started. A login that is not nil is to be talked to before the command runs.
func prepare(c *Command) (*exec.Cmd, *login, error) {
	args := c.Args
	if c.Line != "" {
		args = shell(c.Line)
	}
	cmd := &exec.Cmd{Dir: c.Dir, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	base := ownEnv(os.Environ())
	var l *login
	if c.User != "" {
		who, err := lookUser(c.User)
		if err != nil {
			return nil, nil, err
		}
		base = who.env(os.Environ())
		switch {
		case os.Geteuid() == 0:
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: who.uid, Gid: who.gid, Groups: who.groups}
		case os.Geteuid() == int(who.uid) && c.Auth == AuthNone:
		case c.Auth == AuthNone:
			return nil, nil, fmt.Errorf("%w: to run as %q takes root, or a way to become that user", ErrDenied, c.User)
		default:
			l = newLogin(c, who)
		}
	}
	if c.Terminal != nil {
		base = append(base, "TERM=xterm")
	}
	cmd.Env = append(base, c.Env...)
	path, err := Find(args[0], c.Dir, pathOf(cmd.Env))
	if err != nil {
		return nil, nil, err
	}
	cmd.Path, cmd.Args = path, args
	if l != nil {
		if err := l.wrap(cmd, c.Env); err != nil {
			return nil, nil, err
		}
	}
	return cmd, l, nil
}

// ownEnv is this program's environment without what a service manager has told it alone.
func ownEnv(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool {
		key, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{
			"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID",
			"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "CREDENTIALS_DIRECTORY",
		}, key)
	})
}

// account is a user.
type account struct {
	name, home string
	uid, gid   uint32
	groups     []uint32
}

// lookUser finds a user by name or number.
func lookUser(name string) (*account, error) {
	u, err := user.Lookup(name)
	if _, e := strconv.ParseUint(name, 10, 32); err != nil && e == nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %.100q", ErrNoUser, name)
	}
	a := &account{name: u.Username, home: u.HomeDir}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	ids, err3 := u.GroupIds()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("%w: %.100q: %w", ErrNoUser, name, err)
	}
	a.uid, a.gid = uint32(uid), uint32(gid)
	for _, id := range ids {
		g, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%w: %.100q: group %q", ErrNoUser, name, id)
		}
		a.groups = append(a.groups, uint32(g))
	}
	return a, nil
}

// env is the environment of the user: what says who it is, and of this program's what says how it speaks.
func (a *account) env(ours []string) []string {
	env := []string{"PATH=" + defaultPath, "HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name, "SHELL=/bin/sh"}
	for _, v := range ours {
		if key, _, _ := strings.Cut(v, "="); key == "LANG" || key == "LANGUAGE" || key == "TZ" || strings.HasPrefix(key, "LC_") {
			env = append(env, v)
		}
	}
	return env
}
