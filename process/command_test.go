package process_test

import (
	"runtime"
	"testing"

	"github.com/jkstack/jkframe/v2/process"
)

func TestNeedsShell(t *testing.T) {
	unix := runtime.GOOS != "windows"
	for text, want := range map[string]bool{
		"ls": false, "/usr/bin/ls": false, "./my-tool_1.2": false, "nosuch@1:2,3+": false,
		"ls -l; pwd": true, "ls -l": true, "a&&b": true, "ls>x": true, "a|b": true, "echo %PATH%": true,
		// What means something to a shell of Unix alone is a name on Windows.
		"$HOME/x": unix, "*.sh": unix, "~/x": unix, "A=1": unix, `C:\tools\x.exe`: unix, "PROGRA~1": unix,
	} {
		if got := process.NeedsShell(text); got != want {
			t.Errorf("NeedsShell(%q) = %v", text, got)
		}
	}
}
