package process

import (
	"os"
	"os/exec"
)

// ends are the files through which a command is talked to.
type ends struct {
	output   *os.File // what it writes
	input    *os.File // what it reads, nil for nothing; the terminal has one for both
	terminal *os.File // nil for pipes
	child    []*os.File
}

// openIO makes the files of a command. One that logs in first is talked to even if it reads nothing.
func openIO(c *Command, l *login) (*ends, error) {
	if c.Terminal != nil {
		return openTerminal(*c.Terminal, false)
	}
	if l.onTerminal() {
		return openTerminal(Size{}, true)
	}
	e := &ends{}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	e.output, e.child = r, []*os.File{nil, w, w}
	if c.Stdin == nil && l == nil {
		return e, nil
	}
	r, w, err = os.Pipe()
	if err != nil {
		e.closeAll()
		return nil, err
	}
	e.input, e.child[0] = w, r
	return e, nil
}

// attach gives the command its side of the files.
func (e *ends) attach(cmd *exec.Cmd) {
	if in := e.child[0]; in != nil {
		cmd.Stdin = in
	}
	cmd.Stdout, cmd.Stderr = e.child[1], e.child[2]
	if e.terminal != nil {
		controlTerminal(cmd)
	}
}

// closeChild closes the command's side, which it has open by itself.
func (e *ends) closeChild() {
	for _, f := range e.child {
		if f != nil {
			_ = f.Close() // the second time for one that is there twice
		}
	}
}

func (e *ends) closeAll() {
	e.closeChild()
	_ = e.output.Close()
	if e.input != nil && e.input != e.output {
		_ = e.input.Close()
	}
}
