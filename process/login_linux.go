package process

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// loginTimeout is how long sudo or su may take to let the command run; a wrong password makes them wait for seconds.
const loginTimeout = 30 * time.Second

// askInterval is how often it is looked whether a terminal has ceased to show what is typed.
const askInterval = 100 * time.Millisecond

// maxLoginText is how much of what sudo or su say is kept.
const maxLoginText = 4 << 10

// login is the talk with sudo or su before the command runs.
type login struct {
	auth     Auth
	user     string
	password string
	terminal bool   // su asks nowhere else
	plain    bool   // the command wants no terminal
	prompt   string // what sudo asks with
	ready    string // what says that the command is about to run
}

func newLogin(c *Command, who *account) *login {
	mark := rand.Text()
	return &login{
		auth: c.Auth, user: who.name, password: c.Password, terminal: c.Auth == AuthSu, plain: c.Terminal == nil,
		prompt: "password-" + mark + ":", ready: "ready-" + mark + "\n",
	}
}

// begin is the first thing that runs as the other user: it says that nobody asks for a password any more, so that what comes
// from here on is the command's own, both ways. It is always the same text; what differs are its arguments.
const begin = `printf '%s\n' "$1"; shift; exec "$@"`

// wrap has sudo or su run what cmd would have run, with variables that those take away from it.
func (l *login) wrap(cmd *exec.Cmd, env []string) error {
	inner := []string{strings.TrimSuffix(l.ready, "\n")}
	if len(env) > 0 {
		inner = append(append(inner, "env", "--"), env...)
	}
	inner = append(append(inner, cmd.Path), cmd.Args[1:]...)
	args := []string{"su", "-s", "/bin/sh", "-c", begin, "--", l.user, "sh"}
	if l.auth == AuthSudo {
		args = []string{"sudo", "-S", "-p", l.prompt, "-u", l.user, "--", "/bin/sh", "-c", begin, "sh"}
	}
	path, err := Find(args[0], "", pathOf(nil))
	if err != nil {
		return err
	}
	cmd.Path, cmd.Args = path, append(args, inner...)
	cmd.Env = ownEnv(os.Environ())
	return nil
}

func (l *login) onTerminal() bool { return l != nil && l.terminal }

// talk gives the password when it is asked for, once, and returns when the command is about to run. What the command has written
// already goes to its output.
func (l *login) talk(ctx context.Context, p *Process) error {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = p.group.Kill() })() // which ends the output
	var said []byte
	buf := make([]byte, 1024)
	given := false
	ready := []byte(l.ready)
	if !l.plain {
		ready = []byte(strings.TrimSuffix(l.ready, "\n") + "\r\n")
	}
	never := make(chan struct{})
	for {
		n, err := readUntil(p.output.src, buf, time.Now().Add(askInterval), false, never)
		said = append(said, buf[:n]...)
		if _, rest, ok := bytes.Cut(said, ready); ok {
			p.output.put(rest)
			return l.hand(p)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) || len(said) > maxLoginText {
			return l.refused(ctx, said)
		}
		if l.asked(said, p) {
			if given || l.password == "" {
				return l.refused(ctx, said)
			}
			given = true
			said = said[:0]
			if _, err := p.input.Write([]byte(l.password + "\n")); err != nil {
				return l.refused(ctx, said)
			}
		}
	}
}

// hand makes the terminal of a command that wanted none look like pipes.
func (l *login) hand(p *Process) error {
	if !l.terminal || !l.plain {
		return nil
	}
	if err := hideInput(p.terminal); err != nil {
		return err
	}
	if p.stdin != nil {
		return nil
	}
	_, err := p.input.Write([]byte{endOfInput})
	return err
}

// asked says whether a password is asked for. A terminal that shows what is typed does not ask for one.
func (l *login) asked(said []byte, p *Process) bool {
	if l.auth == AuthSudo {
		return bytes.Contains(said, []byte(l.prompt))
	}
	return bytes.HasSuffix(bytes.TrimRight(said, " "), []byte(":")) && !echoes(p.terminal)
}

// refused says why the command does not run, in the words of sudo or su.
func (l *login) refused(ctx context.Context, said []byte) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %v: %w", ErrDenied, l.auth, context.Cause(ctx))
	}
	text := strings.ReplaceAll(string(said), l.prompt, "")
	if l.password != "" {
		text = strings.ReplaceAll(text, l.password, "***") // a terminal may have shown it
	}
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return fmt.Errorf("%w: %v wants a password for %q", ErrDenied, l.auth, l.user)
	}
	return fmt.Errorf("%w: %v: %.300q", ErrDenied, l.auth, text)
}
