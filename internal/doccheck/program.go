package doccheck

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles a program as if it were a package in the folder dir, with the modules that are known there, and writes the
// binary to a file. Nothing is written into dir. The error carries what the go command said.
func Build(ctx context.Context, dir, code, binary string) error {
	work, err := os.MkdirTemp("", "doccheck-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	source := filepath.Join(work, "main.go")
	if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
		return err
	}
	// The go command sees the program in a folder of dir that does not exist.
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	const name = "program-of-a-document"
	replace := map[string]map[string]string{"Replace": {filepath.Join(dir, name, "main.go"): source}}
	data, err := json.Marshal(replace)
	if err != nil {
		return err
	}
	overlay := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(overlay, data, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "-overlay", overlay, "./"+name)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, said)
	}
	return nil
}
