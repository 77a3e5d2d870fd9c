package process_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/process"
)

func TestNeedsShell(t *testing.T) {
	for text, want := range map[string]bool{
		"ls": false, "/usr/bin/ls": false, "./my-tool_1.2": false, "nosuch@1:2,3+": false,
		"ls -l; pwd": true, "ls -l": true, "a&&b": true, "$HOME/x": true, "ls>x": true, "a|b": true, "*.sh": true, "~/x": true, "A=1": true,
	} {
		if got := process.NeedsShell(text); got != want {
			t.Errorf("NeedsShell(%q) = %v", text, got)
		}
	}
}
