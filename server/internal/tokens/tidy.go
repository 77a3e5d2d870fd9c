package tokens

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// keepFor is how long a token that is worth nothing any more stays in the list.
const keepFor = 30 * 24 * time.Hour

// Tidy removes the tokens that have been worth nothing for 30 days, because they have expired, were used up or were revoked,
// and returns them. A file that cannot be read is in the error, and keeps none of the others. To be called by the process that spends
// tokens.
func (s *Store) Tidy(now time.Time) (gone []Token, err error) {
	all, wrong := List(s.dir)
	for _, t := range all {
		end, ended := t.ended(s.dir)
		if !ended || now.Sub(end) < keepFor {
			continue
		}
		if err := s.remove(t.ID); err != nil {
			return gone, errors.Join(wrong, err)
		}
		gone = append(gone, t.Token)
	}
	return gone, errors.Join(wrong, s.removeRests())
}

// ended says since when a token is worth nothing.
func (t *State) ended(dir string) (at time.Time, ended bool) {
	note := func(end time.Time) {
		if !ended || end.Before(at) {
			at, ended = end, true
		}
	}
	if !t.Expires.IsZero() {
		note(t.Expires)
	}
	if n := len(t.Used); t.Kind == Enrol && n > 0 && n >= t.Uses {
		note(t.Used[n-1].At)
	}
	if info, err := os.Lstat(revokedFile(dir, t.ID)); err == nil {
		note(info.ModTime())
	}
	return at, ended
}

// remove removes the file of a token, without which what else there is of it means nothing. The other order would bring a
// revoked token back if it were interrupted.
func (s *Store) remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
	if err := os.Remove(tokenFile(s.dir, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return secretfile.SyncFolder(s.dir)
}

// removeRests removes what there is of tokens that are not there any more.
func (s *Store) removeRests() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, suffix := range []string{".uses", ".revoked"} {
		files, err := secretfile.Names(s.dir, "", suffix)
		if err != nil {
			return err
		}
		for _, file := range files {
			id := strings.TrimSuffix(filepath.Base(file), suffix)
			if _, err := os.Lstat(tokenFile(s.dir, id)); !errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}
