package policy_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/policy"
)

// Programs have their names in any case, with either slash, and with an extension or without one: a rule is about the program.
func TestNamesOfPrograms(t *testing.T) {
	cmd, err := exec.LookPath("cmd")
	if err != nil {
		t.Fatal(err)
	}
	const on = "exec.enabled = true\n"
	for _, path := range []string{cmd, strings.ToUpper(cmd), strings.ToLower(cmd), strings.ReplaceAll(cmd, `\`, "/")} {
		for _, name := range []string{"cmd", "CMD", "Cmd.exe", cmd, strings.ToUpper(cmd), filepath.Dir(cmd) + `\*`} {
			deny := parse(t, on+"exec.allow = *\nexec.deny = "+strings.ReplaceAll(name, " ", "?"))
			if err := deny.Command(policy.Order{Path: path}); err == nil {
				t.Errorf("%q is denied, %q is allowed", name, path)
			}
			if err := deny.Command(policy.Order{Line: path + " /c dir"}); err == nil {
				t.Errorf("%q is denied, the line %q is allowed", name, path)
			}
			allow := parse(t, on+"exec.allow = "+strings.ReplaceAll(name, " ", "?"))
			if err := allow.Command(policy.Order{Path: path}); err != nil {
				t.Errorf("%q is allowed: %v", name, err)
			}
		}
	}
	allow := parse(t, on+"exec.allow = cmd")
	if err := allow.Command(policy.Order{Path: filepath.Join(t.TempDir(), "cmd.exe")}); err == nil {
		t.Error("a program of the same name elsewhere is allowed")
	}
	for _, name := range []string{"format.com", "FORMAT", "format.bat", `C:\tools\Format.Cmd`} {
		if err := parse(t, on+"exec.allow = *\nexec.deny = format").Command(policy.Order{Path: `C:\x\` + filepath.Base(name)}); err == nil {
			t.Errorf("%q is allowed", name)
		}
	}
}
