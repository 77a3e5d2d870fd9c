package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// openTerminal says that there are none.
func openTerminal(Size, bool) (*ends, error) {
	return nil, fmt.Errorf("a terminal: %w", ErrUnsupported)
}

func resize(*os.File, Size) error { return ErrUnsupported }

func controlTerminal(*exec.Cmd) {}

func (l *login) onTerminal() bool { return false }

func (l *login) talk(context.Context, *Process) error { return nil }
