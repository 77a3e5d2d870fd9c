//go:build unix

package e2e_test

import (
	"syscall"
	"testing"
)

// freeze stops a program as a machine that hangs does.
func freeze(t *testing.T, p *program) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}
