package libagent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jkstack/jkframe/v2/logging"
	"github.com/jkstack/jkframe/v2/wire"
)

// maxCrash is how much of a crash is kept, in bytes. All of it escaped still fits into what a server takes before the
// handshake.
const maxCrash = 8 << 10

// CrashStatus is the last crash of the agent that is known.
type CrashStatus struct {
	At       time.Time `json:"at"`
	Text     string    `json:"text"`     // the error and the stacks, the beginning of them
	Reported bool      `json:"reported"` // a server has been told of it
}

// crashFiles are the files that an agent's crashes are kept in, beside its log. The runtime writes the first one while the
// process dies; the next start renames it; a handshake renames it again.
type crashFiles struct {
	now, last, reported string
}

// crashFiles returns where the agent keeps its crashes, false when its log is in no files: then a crash goes where the log
// goes, to what has started the agent.
func (c *Config) crashFiles() (crashFiles, bool) {
	if !slices.Contains(c.Log.Target, logging.TargetFile) {
		return crashFiles{}, false
	}
	dir := c.Log.Dir
	if dir == "" {
		dir = logging.DefaultDir
	}
	base := filepath.Join(dir, c.Log.Name+".crash")
	return crashFiles{base, base + ".last", base + ".reported"}, true
}

// watchCrashes finds what a crash has left, and has the runtime write the next one into a file. It returns what ends that.
// The process has one such file, so this is Main's, not Run's.
func (ag *Agent) watchCrashes() (end func()) {
	files, ok := ag.basic().crashFiles()
	if !ok {
		return func() {}
	}
	end, err := ag.openCrashes(files)
	if err != nil {
		ag.log.Warn("a crash will leave no file", "error", err)
		return func() {}
	}
	return end
}

func (ag *Agent) openCrashes(files crashFiles) (end func(), err error) {
	if info, err := os.Lstat(files.now); err == nil && info.Size() > 0 {
		if err := os.Rename(files.now, files.last); err != nil {
			return nil, err
		}
	}
	if err := ag.findCrash(files); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(files.now), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(files.now, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the runtime has a handle of its own
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		return nil, errors.Join(err, os.Remove(files.now))
	}
	return func() {
		if err := debug.SetCrashOutput(nil, debug.CrashOptions{}); err != nil {
			ag.log.Warn("crash file not closed", "error", err)
		}
		if err := os.Remove(files.now); err != nil {
			ag.log.Warn("crash file not removed", "error", err)
		}
	}, nil
}

// findCrash reads the last crash. One that no server has been told of is logged, and told with every handshake until one
// succeeds.
func (ag *Agent) findCrash(files crashFiles) error {
	for _, file := range []string{files.last, files.reported} {
		crash, err := readCrash(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		crash.Reported = file == files.reported
		if !crash.Reported {
			ag.log.Error("the last run crashed", "at", crash.At, "file", file, "text", crash.Text)
		}
		ag.mu.Lock()
		defer ag.mu.Unlock()
		ag.crash, ag.crashes = crash, files
		return nil
	}
	return nil
}

func readCrash(file string) (*CrashStatus, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", file)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxCrash))
	if err != nil {
		return nil, err
	}
	text := strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(string(data), "?"))
	return &CrashStatus{At: info.ModTime(), Text: text}, nil
}

// crashToTell returns the crash that no server has been told of, nil if there is none.
func (ag *Agent) crashToTell() *wire.Crash {
	ag.mu.Lock()
	defer ag.mu.Unlock()
	if ag.crash == nil || ag.crash.Reported {
		return nil
	}
	return &wire.Crash{At: ag.crash.At, Text: ag.crash.Text}
}

// crashTold notes that a server has been told of the crash.
func (ag *Agent) crashTold() {
	ag.mu.Lock()
	defer ag.mu.Unlock()
	if ag.crash == nil || ag.crash.Reported {
		return
	}
	told := *ag.crash // Status may have handed the other one out
	told.Reported = true
	ag.crash = &told
	if err := os.Rename(ag.crashes.last, ag.crashes.reported); err != nil {
		ag.log.Warn("the crash will be reported again", "error", err)
	}
}
