package doccheck_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
)

func TestBuild(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "program.exe")
	const code = "package main\n\nimport _ \"github.com/jkstack/jkframe/v2/internal/doccheck\"\n\nfunc main() { println(\"runs\") }\n"
	if err := doccheck.Build(t.Context(), ".", code, binary); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), binary).CombinedOutput(); err != nil || string(said) != "runs\n" {
		t.Errorf("said %q, %v", said, err)
	}
	const bad = "package main\n\nfunc main() { x }\n"
	if err := doccheck.Build(t.Context(), ".", bad, binary); err == nil || !strings.Contains(err.Error(), "undefined: x") {
		t.Errorf("error %v", err)
	}
}
