package logging_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
)

// Somebody else looks at a log: he sees its files and no others, the newest first, and leaves no trace.
func TestReader(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	cfg := logging.Config{Name: "agent", Dir: dir}
	r, err := logging.NewReader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if files, err := r.Files(); err != nil || len(files) != 0 {
		t.Errorf("without a folder: %v, %v", files, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"agent.log": "new\n", "agent.log.0": "older\n", "agent.log.1": "oldest\n", "agent.crash": "", "other.log": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := r.Files()
	if err != nil || len(files) != 3 || files[0].Name != "agent.log" || files[1].Name != "agent.log.0" {
		t.Fatalf("files %v, %v", files, err)
	}
	f, err := r.OpenFile("agent.log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "new\n" {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := r.OpenFile("../secret"); !os.IsNotExist(err) {
		t.Errorf("another file: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 5 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}
