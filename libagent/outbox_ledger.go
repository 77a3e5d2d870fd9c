package libagent

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// runID names a run of an outbox, or of a queue. It is never logged.
type runID [16]byte

// MarshalText implements [encoding.TextMarshaler].
func (r runID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, r[:]), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *runID) UnmarshalText(text []byte) error {
	if len(text) != 2*len(r) {
		return fmt.Errorf("a run of %d digits", len(text))
	}
	_, err := hex.Decode(r[:], text)
	return err
}

// String keeps the name out of every log.
func (r runID) String() string { return "(secret)" }

// span says which sequences of a lane a run has: from First to Last. Of the one that goes on Last is 0.
type span struct {
	Run    runID  `json:"run"`
	Origin runID  `json:"origin"` // of the queue, when it wrote them; another one than Run after a rename
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
}

// maxRuns is how many runs the ledger keeps of which the server has everything: only they can say later, to a server that was
// set back, that these messages are missing.
const maxRuns = 32

// ledger lists the runs of each lane, the oldest first. Every run stays in it after its messages have gone.
type ledger struct {
	Version int       `json:"version"`
	Lanes   [2][]span `json:"lanes"`
}

const ledgerVersion = 1

// loadLedger reads the ledger of a folder. The error says why there is none; what is on the disk can be sent without it.
func loadLedger(dir string) (l ledger, err error) {
	text, err := os.ReadFile(filepath.Join(dir, ledgerName))
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err == nil && l.Version != ledgerVersion {
		err = fmt.Errorf("version %d", l.Version)
	}
	for _, spans := range l.Lanes {
		for i, s := range spans {
			if s.First == 0 || s.Last != 0 && s.Last < s.First || i > 0 && s.First <= spans[i-1].Last {
				err = fmt.Errorf("run %d has the sequences %d to %d", i, s.First, s.Last)
			}
		}
	}
	if err != nil {
		return ledger{}, fmt.Errorf("read %q: %w", filepath.Join(dir, ledgerName), err)
	}
	return l, nil
}

const ledgerName = "ledger.json"

// save puts the ledger on the disk, as a whole.
func (l ledger) save(dir string) error {
	l.Version = ledgerVersion
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, ledgerName)
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(dir)
}

// syncFolder makes the names in a folder durable, where the system knows that.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// closeRuns notes which sequences the earlier runs of a lane have. Of a run that the ledger does not know (it was copied at
// another time than the records) the queue tells. What is empty, or far back and released, goes.
func closeRuns(spans []span, found []l2cache.RunRange, first, next uint64) []span {
	known := len(spans)
	for _, r := range found {
		is := func(s span) bool { return s.Run == runID(r.Run) || s.Origin == runID(r.Run) }
		if r.First < next && !slices.ContainsFunc(spans, is) {
			spans = append(spans, span{Run: runID(r.Run), Origin: runID(r.Run), First: r.First})
		}
	}
	for i := range spans {
		end := next
		if i < known-1 {
			end = spans[i].Last + 1
			if known < len(spans) {
				end = min(end, spans[known].First)
			}
			spans[i].Last = end - 1
			continue
		}
		if i+1 < len(spans) {
			end = spans[i+1].First
		}
		spans[i].Last = end - 1
	}
	spans = slices.DeleteFunc(spans, func(s span) bool { return s.Last < s.First })
	for len(spans) > maxRuns && spans[0].Last < first {
		spans = spans[1:]
	}
	return spans
}
