package smart

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/layout"
)

// The orders in which nodes work.
const (
	modeSequence = "sequence"
	modeParallel = "parallel"
	modeEvenOdd  = "evenodd"
)

// groupsOf puts the nodes into groups for a mode.
func groupsOf(mode string, ids []string) ([][]string, error) {
	switch mode {
	case "", modeSequence:
		return slices.Collect(slices.Chunk(ids, 1)), nil
	case modeParallel:
		return [][]string{ids}, nil
	case modeEvenOdd:
		groups := make([][]string, 2)
		for i, id := range ids {
			groups[i%2] = append(groups[i%2], id)
		}
		return groups, nil
	}
	return nil, form.Bad("mode: %q is none of sequence, parallel and evenodd", mode)
}

func (d *Dialect) layoutRun(r *http.Request, v *form.Form) (any, error) {
	ids := v.CSV("ids")
	if len(ids) == 0 {
		return nil, form.Bad("ids: there are none")
	}
	index := make(map[string]int, len(ids))
	for i, id := range ids {
		if _, twice := index[id]; twice {
			return nil, form.Bad("ids: %q is there twice", id)
		}
		index[id] = i
	}
	groups, err := groupsOf(v.Get("mode"), ids)
	if err != nil {
		return nil, err
	}
	goOn, err := v.Bool("continue")
	if err != nil {
		return nil, err
	}
	p, err := d.readPlay(r, v)
	if err != nil {
		return nil, err
	}
	agents, err := d.layouts.Agents(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	file := v.File
	run, err := d.layouts.Start(r.Context(), layout.Plan{
		ID: d.layoutID(time.Now()), Groups: groups, Order: ids, Agents: agents, Continue: goOn,
		Do:    func(ctx context.Context, id string) error { return p.node(id, index[id]).run(ctx) },
		After: file.Close,
	})
	if err != nil {
		return nil, err
	}
	v.File = nil // it is the run's now
	return run.ID, nil
}

// maxWrong is how much is said of what is wrong with a tar, in bytes: it may be very much.
const maxWrong = 16 << 10

// readPlay reads the tar and what it says. Whatever is wrong with it has the same code.
func (d *Dialect) readPlay(r *http.Request, v *form.Form) (*play, error) {
	file, err := v.NeedFile()
	if err != nil {
		return nil, err
	}
	p := &play{Dialect: d, user: v.Get("user"), pass: v.Get("pass")}
	if err := secret(r, p.pass); err != nil {
		return nil, err
	}
	wrong := func(err error) error {
		text := err.Error()
		return &failure{codeRefused, text[:min(len(text), maxWrong)]}
	}
	if p.archive, err = readArchive(file); err != nil {
		return nil, wrong(err)
	}
	text, name, err := p.archive.script()
	if err != nil {
		return nil, wrong(err)
	}
	if p.script, err = parseScript(name, text); err != nil {
		return nil, wrong(err)
	}
	if err := p.checkSources(); err != nil {
		return nil, wrong(err)
	}
	if p.script.Timeout > 0 {
		p.deadline = time.Now().Add(time.Duration(p.script.Timeout) * time.Second)
	}
	return p, nil
}

// checkSources finds files that are not in the tar before anything is done.
func (p *play) checkSources() error {
	for i, t := range p.script.Tasks {
		if t.Action != actionPush || isAbsAnywhere(t.Src) || reference.MatchString(t.Src) {
			continue
		}
		if p.archive.files[cleanName(t.Src)] == nil {
			return fmt.Errorf("task %d (%q): src: %q is not in the tar", i+1, t.Name, t.Src)
		}
	}
	return nil
}

// layoutID makes the id of a layout: yaml-YYYYMMDD-<6 digits>-<8 hex>.
func (d *Dialect) layoutID(now time.Time) string {
	d.mu.Lock()
	d.seq++
	n := d.seq
	d.mu.Unlock()
	b := make([]byte, 4)
	rand.Read(b) // never fails
	return fmt.Sprintf("yaml-%s-%06d-%s", now.Format("20060102"), n, hex.EncodeToString(b))
}

type layoutView struct {
	Done          bool             `json:"done"`
	Created       int64            `json:"created"`  // Unix seconds
	Finished      int64            `json:"finished"` // Unix seconds, 0 before it
	TotalCount    int              `json:"total_count"`
	FinishedCount int              `json:"finished_count"`
	Nodes         []layoutNodeView `json:"nodes"`
}

type layoutNodeView struct {
	ID       string `json:"id"`
	Created  int64  `json:"created"`  // Unix seconds, 0 before it
	Finished int64  `json:"finished"` // Unix seconds, 0 before it
	OK       bool   `json:"ok"`
	Msg      string `json:"msg"`
}

func (d *Dialect) layoutStatus(r *http.Request, v *form.Form) (any, error) {
	id, err := v.Need("task_id")
	if err != nil {
		return nil, err
	}
	run, err := d.layouts.Find(r.Context(), id)
	if err != nil {
		return nil, &failure{http.StatusNotFound, "task not found"}
	}
	s := run.State()
	view := layoutView{Done: s.Done, Created: unix(s.Begin), Finished: unix(s.End), TotalCount: len(s.Nodes), Nodes: []layoutNodeView{}}
	for _, n := range s.Nodes {
		msg := n.Err
		switch n.Status {
		case layout.Skipped, layout.Cancelled:
			msg = string(n.Status)
		}
		if !n.End.IsZero() {
			view.FinishedCount++
		}
		view.Nodes = append(view.Nodes, layoutNodeView{n.ID, unix(n.Begin), unix(n.End), n.Status == layout.Done, msg})
	}
	return view, nil
}

// unix is a time in answers: 0 for none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
