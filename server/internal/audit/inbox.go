package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

func inboxDir(dir string) string { return filepath.Join(dir, "inbox") }

// inbox returns the files of lines that wait, the oldest first.
func inbox(dir string) ([]string, error) {
	return secretfile.Names(inboxDir(dir), "", ".json")
}

// Post leaves a line for the server that writes the log, which takes it within a second, or when it starts.
func Post(dir string, e Entry) error {
	if e.Time.IsZero() {
		e.Time = time.Now().UTC()
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%020d-%08x.json", e.Time.UnixNano(), rand.Uint32())
	if err := secretfile.Create(filepath.Join(inboxDir(dir), name), b); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// TakeInbox writes the lines that others have left.
func (l *Log) TakeInbox() error {
	names, err := inbox(l.cfg.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		var e Entry
		if err := json.Unmarshal(b, &e); err != nil {
			e = Entry{Event: "audit.unreadable", Detail: map[string]any{"file": filepath.Base(name), "error": err.Error()}}
		}
		if err := l.Append(e); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}
