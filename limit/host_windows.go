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
	job  job // its handle is 0 until a limit needs it
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
	held := false
	for i := range results {
		switch r := &results[i]; r.Limit {
		case CPUQuota:
			r.hold(func(r *Result) error { return j.setCPU(r.Want) })
		case Memory:
			r.hold(func(r *Result) error { return j.setBounds(bounds{memory: r.Want}) })
		}
		held = held || results[i].Held()
	}
	if held {
		err = j.add(windows.CurrentProcess())
	}
	if held && err == nil {
		h.job = j
		return results
	}
	err = errors.Join(err, j.close())
	for i := range results {
		if r := &results[i]; r.Held() {
			r.Mechanism, r.Holds, r.Note = None, 0, err.Error()
		}
	}
	return results
}

// hold sets a limit, and notes what is odd.
func (r *Result) hold(set func(*Result) error) {
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
		return
	}
	r.Mechanism, r.Holds = JobObject, r.Want
}

// release takes the limits off. A process cannot leave a job; the empty one ends with it.
func (h *host) release() error {
	if h.job.handle == 0 {
		return nil
	}
	err := errors.Join(h.job.setCPU(0), h.job.setBounds(bounds{}), h.job.close())
	h.job = job{}
	return err
}
