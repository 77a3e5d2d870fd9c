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
	return compile(ctx, dir, map[string]string{"main.go": code}, "build", "-o", binary)
}

// BuildTest is Build for a program and its test. The binary is that of the test.
func BuildTest(ctx context.Context, dir, code, test, binary string) error {
	return compile(ctx, dir, map[string]string{"main.go": code, "main_test.go": test}, "test", "-c", "-vet=off", "-o", binary)
}

// compile has the go command do something with files that it finds in a folder of dir which does not exist.
func compile(ctx context.Context, dir string, files map[string]string, args ...string) error {
	work, err := os.MkdirTemp("", "doccheck-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	const name = "program-of-a-document"
	replace := make(map[string]string)
	for file, code := range files {
		source := filepath.Join(work, file)
		if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
			return err
		}
		replace[filepath.Join(dir, name, file)] = source
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return err
	}
	overlay := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(overlay, data, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-overlay", overlay, "./"+name)...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go "+args[0]+": %w\n%s", err, said)
	}
	return nil
}
