package metrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// maxFacts is of how many agents the facts are kept; beyond that, those of some are forgotten until they report again.
const maxFacts = 1 << 17

// facts are the few figures of a host that others are divided by. They come when an agent starts, and then once a day.
type facts struct {
	ID     string `json:"id"`
	CPUs   int    `json:"cpus"`
	Memory uint64 `json:"memory"` // bytes
	Start  int64  `json:"start"`  // Unix seconds
}

// factBook keeps the facts of agents beyond the life of the server, in a file with a line for each that came. It is for one goroutine.
type factBook struct {
	file   string // "": memory only
	of     map[string]facts
	fresh  []byte // lines that are not in the file
	lines  int    // of the file, and of fresh
	broken bool   // the file is to be made anew
}

// openFacts reads what is in a file. What is no line of it, as a crash leaves one, is passed over.
func openFacts(file string) (*factBook, error) {
	b := &factBook{file: file, of: make(map[string]facts)}
	if file == "" {
		return b, nil
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	for line := range bytes.Lines(text) {
		var f facts
		if json.Unmarshal(line, &f) == nil && f.ID != "" && len(b.of) < maxFacts {
			b.of[f.ID] = f
		}
		b.lines++
	}
	b.broken = len(text) > 0 && text[len(text)-1] != '\n'
	return b, nil
}

// note keeps the facts of an agent.
func (b *factBook) note(f facts) {
	old, known := b.of[f.ID]
	if known && old == f {
		return
	}
	if !known && len(b.of) >= maxFacts {
		for id := range b.of {
			delete(b.of, id)
			break
		}
	}
	b.of[f.ID] = f
	b.fresh = append(b.fresh, f.line()...)
	b.lines++
}

func (f facts) line() []byte {
	text, err := json.Marshal(f)
	if err != nil {
		return nil // it has nothing that JSON does not
	}
	return append(text, '\n')
}

// save brings the file up to date. After an error the next call makes it anew.
func (b *factBook) save() error {
	if b.file == "" || len(b.fresh) == 0 {
		b.fresh = nil
		return nil
	}
	var err error
	if b.broken || b.lines > 2*len(b.of)+1024 {
		err = b.rewrite()
	} else {
		err = b.append()
	}
	b.fresh, b.broken = nil, err != nil
	return err
}

func (b *factBook) append() error {
	f, err := os.OpenFile(b.file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b.fresh)
	return errors.Join(err, f.Close())
}

// rewrite puts a file with one line for each agent in the place of the other.
func (b *factBook) rewrite() error {
	var text []byte
	for _, f := range b.of {
		text = append(text, f.line()...)
	}
	temporary := b.file + ".new"
	err := os.WriteFile(temporary, text, 0o600)
	if err == nil {
		err = os.Rename(temporary, b.file)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temporary))
	}
	b.lines = len(b.of)
	return nil
}
