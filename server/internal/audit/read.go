package audit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// maxScan is how many bytes of the log one Read looks at.
const maxScan = 64 << 20

// Query chooses lines. The zero value chooses all.
type Query struct {
	Before uint64    // only lines with a smaller number, 0 for all
	Event  string    // "" for any, and so on
	Actor  string    //
	Target string    //
	Since  time.Time // only lines that are not older
	Limit  int       // at most so many
}

func (q *Query) chooses(e *Entry) bool {
	return (q.Event == "" || q.Event == e.Event) && (q.Actor == "" || q.Actor == e.Actor) && (q.Target == "" || q.Target == e.Target)
}

// Read returns the chosen lines, the newest first, and where to go on: a value for Before, 0 at the end of the log. There
// may be more even if fewer than Limit were found: not more than 64 MiB are looked at in one go.
func Read(dir string, q Query) (found []Entry, next uint64, err error) {
	names, err := files(dir)
	if err != nil {
		return nil, 0, err
	}
	scanned := 0
	for i, name := range slices.Backward(names) {
		first, err := firstSeq(name)
		if err != nil || q.Before > 0 && first >= q.Before {
			continue
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile, and all before it
			return found, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		scanned += len(text)
		text = text[:bytes.LastIndexByte(text, '\n')+1] // the last line may just be written
		for len(text) > 0 {
			begin := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
			e, err := parseLine(text[begin : len(text)-1])
			text = text[:begin]
			if err != nil && !errors.Is(err, errHash) {
				continue // Verify tells
			}
			switch {
			case q.Before > 0 && e.Seq >= q.Before:
				continue
			case !q.Since.IsZero() && e.Time.Before(q.Since):
				return found, 0, nil
			case q.chooses(&e):
				found = append(found, e)
			}
			if q.Limit > 0 && len(found) == q.Limit {
				return found, e.Seq, nil
			}
		}
		if scanned >= maxScan && i > 0 {
			return found, first, nil
		}
	}
	return found, 0, nil
}
