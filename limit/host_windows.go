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
	held := 0
	for i := range results {
		r := &results[i]
		if r.Limit != CPUQuota && r.Limit != Memory {
			continue
		}
		e := err
		r.Note = ""
		switch {
		case e != nil:
		case r.Limit == CPUQuota:
			if cores := runtime.NumCPU(); r.Want > uint64(cores)*100 {
				r.Note = fmt.Sprintf("more than the %d cores that this process may use", cores)
			}
			e = j.setCPU(r.Want)
		default:
			r.Note = "counts memory that is committed"
			e = j.setBounds(bounds{memory: r.Want})
		}
		if e != nil {
			r.Note = e.Error()
			continue
		}
		r.Mechanism, r.Holds = JobObject, r.Want
		held++
	}
	if err != nil {
		return results
	}
	if held > 0 {
		err = j.add(windows.CurrentProcess())
	}
	if held == 0 || err != nil {
		err = errors.Join(err, j.close())
		for i := range results {
			if r := &results[i]; r.Mechanism == JobObject {
				r.Mechanism, r.Holds, r.Note = None, 0, err.Error()
			}
		}
		return results
	}
	h.job = j
	return results
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
