package process

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Ledger notes in a folder which commands run, so that after a crash of this program the next one finds what is left of them. It
// does not outlive a loss of power, and neither do the commands.
type Ledger struct {
	dir string
}

// Orphan is a command that was running when the program that had started it was killed.
type Orphan struct {
	Note  []byte    // as Command.Note had it
	PID   int       // 0 if it was about to start
	Begin time.Time // of the command
	// Group is the name that Config.Group was called with. A control group of that name has all of the command that is left, also what
	// has cleared its environment, where End does not find it.
	Group string
}

// entry is a file of the ledger.
type entry struct {
	Note  []byte    `json:"note"`
	PID   int       `json:"pid"`
	Begin time.Time `json:"begin"`
}

const (
	entrySuffix = ".json"
	// markVariable is in the environment of every command that is noted: it finds what has left its session, too.
	markVariable = "JKFRAME_COMMAND"
)

// OpenLedger opens the ledger of a folder, which belongs to it alone and is made if it is not there, and gives the orphans that it
// has. They are to be ended and then forgotten.
func OpenLedger(dir string) (*Ledger, []Orphan, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open ledger: %w", err)
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Ledger{dir: dir}
	var orphans []Orphan
	for _, d := range found {
		mark, ok := strings.CutSuffix(d.Name(), entrySuffix)
		if !ok {
			continue
		}
		var e entry
		data, err := os.ReadFile(filepath.Join(dir, d.Name()))
		if err == nil {
			err = json.Unmarshal(data, &e)
		}
		if err != nil { // torn by a loss of power, after which nothing of it runs
			_ = os.Remove(filepath.Join(dir, d.Name()))
			continue
		}
		orphans = append(orphans, Orphan{Note: e.Note, PID: e.PID, Begin: e.Begin, Group: mark})
	}
	return l, orphans, nil
}

// End kills what is left of an orphan, with all that it has started and that has its environment.
func (l *Ledger) End(o Orphan) error { return killMarked(markVariable + "=" + o.Group) }

// Forget takes an orphan off the ledger.
func (l *Ledger) Forget(o Orphan) error { return os.Remove(l.file(o.Group)) }

func (l *Ledger) file(mark string) string { return filepath.Join(l.dir, mark+entrySuffix) }

// note is an entry of a command that starts or runs, nil for one that is not noted.
type note struct {
	ledger *Ledger
	mark   string
	entry  entry
}

// begin notes a command before it starts, and marks what it will start.
func (l *Ledger) begin(c *Command, cmd *exec.Cmd) (*note, error) {
	if l == nil || c.Note == nil {
		return nil, nil
	}
	n := &note{ledger: l, mark: rand.Text(), entry: entry{Note: c.Note, Begin: time.Now()}}
	cmd.Env = append(cmd.Env, markVariable+"="+n.mark)
	return n, n.write()
}

// group is the name of the command's group.
func (n *note) group() string {
	if n == nil {
		return ""
	}
	return n.mark
}

// started adds the number of the process. A disk that is full by now does not end the command: its mark is known.
func (n *note) started(pid int) {
	if n == nil {
		return
	}
	n.entry.PID = pid
	_ = n.write()
}

func (n *note) end() {
	if n != nil {
		_ = os.Remove(n.ledger.file(n.mark)) // one that stays is an orphan of which nothing runs
	}
}

// write writes the entry in one step.
func (n *note) write() error {
	data, err := json.Marshal(n.entry)
	if err != nil {
		return err
	}
	temp := n.ledger.file(n.mark) + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return errors.Join(fmt.Errorf("note the command: %w", err), os.Remove(temp))
	}
	return os.Rename(temp, n.ledger.file(n.mark))
}
