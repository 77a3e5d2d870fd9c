package limit

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/windows"
)

// host is the job object of the process.
type host struct {
	name string
	job  job            // there is one if there is something to undo
	undo []func() error // takes the limits off again
}

// apply puts the limits of c on this process.
func (h *host) apply(c Config) []Result {
	results := c.results("Windows has no limits of disk traffic for a process")
	j, err := newJob()
	if err != nil {
		for i := range results {
			results[i].Note = err.Error()
		}
		return results
	}
	for i := range results {
		switch r := &results[i]; r.Limit {
		case CPUQuota:
			if r.hold(func(r *Result) error { return j.setCPU(r.Want) }) {
				h.undo = append(h.undo, func() error { return j.setCPU(0) })
			}
		case Memory:
			if used := managed(); used >= r.Want {
				r.Note = fmt.Sprintf("the process has %s already", size(used))
			} else if r.hold(func(r *Result) error { return j.setBounds(bounds{memory: r.Want}) }) {
				h.undo = append(h.undo, func() error { return j.setBounds(bounds{}) })
			}
		}
	}
	held := len(h.undo) > 0
	if held {
		err = j.add(windows.CurrentProcess())
	}
	if held && err == nil {
		h.job = j
		return results
	}
	h.undo = nil
	err = errors.Join(err, j.close())
	for i := range results {
		if r := &results[i]; r.Held() {
			r.Mechanism, r.Holds, r.Note = None, 0, err.Error()
		}
	}
	return results
}

// hold sets a limit, notes what is odd, and says whether it holds.
func (r *Result) hold(set func(*Result) error) bool {
	r.Note = ""
	cores := runtime.NumCPU()
	switch {
	case r.Limit == CPUQuota && r.Want > uint64(cores)*100:
		r.Note = fmt.Sprintf("more than the %d cores there are", cores)
	case r.Limit == Memory:
		r.Note = "of memory that is committed: beyond it, allocations fail"
	}
	if err := set(r); err != nil {
		r.Note = join(r.Note, err.Error())
		return false
	}
	r.Mechanism, r.Holds = JobObject, r.Want
	return true
}

// release takes the limits off. A process cannot leave a job; the empty one ends with it.
func (h *host) release() error {
	if len(h.undo) == 0 {
		return nil
	}
	var errs []error
	for _, undo := range h.undo {
		errs = append(errs, undo())
	}
	h.undo = nil
	return errors.Join(append(errs, h.job.close())...)
}
