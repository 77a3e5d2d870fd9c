package process

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Command says what to run, and how.
type Command struct {
	// Args is a program and its arguments. The program is looked for in PATH, unless its name has a slash; then a relative
	// one is relative to Dir.
	Args []string

	// Line is, in place of Args, a command line: for sh -c, on Windows for cmd /C.
	Line string

	// Dir is the working directory. By default, that of this program.
	Dir string

	// Env has variables, as KEY=value, beyond those of this program, and in place of them. By default, none.
	Env []string

	// Stdin is what the command reads. It is closed at the command's end if it is an io.Closer; one whose Read does not
	// return then holds up Wait. By default, the command reads nothing.
	Stdin io.Reader

	// Terminal puts the command on a terminal of this size: it writes CRLF, and its input is echoed unless it says
	// otherwise. By default, there are pipes.
	Terminal *Size

	// User is who runs the command, with his groups, his HOME, and no more of this program's environment than its
	// language and time zone. By default, whoever runs this program.
	User string

	// Auth is how a program that is not root becomes User. By default, it does not.
	Auth Auth

	// Password is for Auth. By default, there is none.
	Password string

	// Timeout is how long the command may run. By default, for ever.
	Timeout time.Duration

	// Output gets what the command writes, as it comes, from one goroutine at a time. The command waits while Write does, and so
	// does its end. After an error of Write the rest is read and dropped. By default, all is dropped.
	Output io.Writer

	// Note is kept in the Ledger of the Runner while the command runs: what its owner needs to tell of an orphan. By default, the
	// command is not noted.
	Note []byte

	// Text turns lines of the output that are GBK, and not UTF-8, into UTF-8, see [NewText]. By default, bytes stay as
	// they are.
	Text bool
}

// Auth is a way to become another user.
type Auth int

const (
	// AuthNone is for root, who needs none.
	AuthNone Auth = iota
	// AuthSudo runs sudo -S.
	AuthSudo
	// AuthSu runs su on a terminal.
	AuthSu
)

// String names the program.
func (a Auth) String() string {
	switch a {
	case AuthSudo:
		return "sudo"
	case AuthSu:
		return "su"
	}
	return "none"
}

// Size is the size of a terminal, in characters. Zero is a size too: that of a terminal that nobody looks at.
type Size struct {
	Rows, Cols uint16
}

// NeedsShell says whether a text is a command line rather than the name of a program: it has blanks or characters that mean
// something to a shell.
func NeedsShell(text string) bool {
	return strings.ContainsAny(text, " \t\n\r|&;<>()$`\"'*?[]#~=%!{}\\^") && !windowsPath(text)
}

// windowsPath says whether a text is a path as Windows writes it, which no shell need see.
func windowsPath(text string) bool {
	return onWindows && !strings.ContainsAny(text, " \t\n\r|&;<>\"%^")
}

// name is what errors call the command: the beginning of it, quoted.
func (c *Command) name() string {
	text := c.Line
	if len(c.Args) > 0 {
		text = c.Args[0]
	}
	const most = 100
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// check says what makes no sense on any host.
func (c *Command) check() error {
	switch {
	case len(c.Args) == 0 && c.Line == "" || len(c.Args) > 0 && c.Args[0] == "":
		return fmt.Errorf("%w: it is empty", ErrInvalid)
	case len(c.Args) > 0 && c.Line != "":
		return fmt.Errorf("%w: both a list and a line", ErrInvalid)
	case c.Auth < AuthNone || c.Auth > AuthSu:
		return fmt.Errorf("%w: auth %d", ErrInvalid, int(c.Auth))
	case c.Auth != AuthNone && c.User == "":
		return fmt.Errorf("%w: %v needs to be told who", ErrNoUser, c.Auth)
	case strings.HasPrefix(c.User, "-"):
		return fmt.Errorf("%w: %q", ErrNoUser, c.User) // it would be an option of sudo
	case strings.ContainsAny(c.Password, "\n\r\x00"):
		return fmt.Errorf("%w: a password of more than a line", ErrInvalid)
	}
	for _, part := range append([]string{c.Line, c.Dir, c.User}, c.Args...) {
		if strings.ContainsRune(part, 0) {
			return fmt.Errorf("%w: it has a zero byte", ErrInvalid)
		}
	}
	for _, v := range c.Env {
		if i := strings.IndexByte(v, '='); i <= 0 || strings.ContainsRune(v, 0) {
			return fmt.Errorf("%w: variable %.60q is not KEY=value", ErrInvalid, v)
		}
	}
	return nil
}
