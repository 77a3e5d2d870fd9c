package limit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// open makes a job object for children. It is nested in that of the program, whose limits hold for it too.
func (h *host) open(g *Group, c GroupConfig) error {
	g.results = c.results("Windows has no limits of disk traffic for a process")
	j, err := newJob()
	if err != nil {
		return err
	}
	cpu := func(r *Result) error { return j.setCPU(r.Want) }
	var set bounds
	bound := func(r *Result) error {
		b := set
		if r.Limit == Memory {
			b.memory = r.Want
		} else {
			b.processes = r.Want
		}
		if err := j.setBounds(b); err != nil {
			return err
		}
		set = b
		return nil
	}
	for i := range g.results {
		switch r := &g.results[i]; r.Limit {
		case CPUQuota:
			r.hold(cpu)
		case Memory, Processes:
			r.hold(bound)
		}
	}
	g.members, g.mechanism = &jobMembers{job: j}, JobObject
	return nil
}

// jobMembers is a group of children that is a job object.
type jobMembers struct {
	job
}

var _ members = (*jobMembers)(nil)

// start starts cmd so that it stops before its first instruction, puts it into the job, and lets it go.
func (m *jobMembers) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr.CreationFlags |= windows.CREATE_SUSPENDED
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := m.admit(uint32(cmd.Process.Pid)); err != nil {
		err = errors.Join(fmt.Errorf("put process %d into its job: %w", cmd.Process.Pid, err), cmd.Process.Kill())
		_ = cmd.Wait() // says that it was killed
		return err
	}
	return nil
}

func (m *jobMembers) admit(pid uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return os.NewSyscallError("OpenProcess", err)
	}
	defer windows.CloseHandle(process)
	if err := m.add(process); err != nil {
		return err
	}
	return resume(pid)
}

// resume lets the threads of a process go; it was made suspended, so that it has one.
func resume(pid uint32) error {
	all, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return os.NewSyscallError("CreateToolhelp32Snapshot", err)
	}
	defer windows.CloseHandle(all)
	entry := windows.ThreadEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	resumed := false
	for err = windows.Thread32First(all, &entry); err == nil; err = windows.Thread32Next(all, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		if err := resumeThread(entry.ThreadID); err != nil {
			return err
		}
		resumed = true
	}
	if !resumed {
		return errors.New("its thread was not found")
	}
	return nil
}

func resumeThread(id uint32) error {
	thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, id)
	if err != nil {
		return os.NewSyscallError("OpenThread", err)
	}
	defer windows.CloseHandle(thread)
	_, err = windows.ResumeThread(thread)
	return os.NewSyscallError("ResumeThread", err)
}

func (m *jobMembers) kill() error {
	return os.NewSyscallError("TerminateJobObject", windows.TerminateJobObject(m.handle, 1))
}

// accounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION of winnt.h; times are in units of 100 ns.
type accounting struct {
	userTime, kernelTime             int64
	periodUserTime, periodKernelTime int64
	pageFaults                       uint32
	processes, active, terminated    uint32
}

func (m *jobMembers) usage() (Usage, error) {
	var a accounting
	if err := m.query(windows.JobObjectBasicAccountingInformation, unsafe.Pointer(&a), unsafe.Sizeof(a)); err != nil {
		return Usage{}, err
	}
	var e windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if err := m.query(windows.JobObjectExtendedLimitInformation, unsafe.Pointer(&e), unsafe.Sizeof(e)); err != nil {
		return Usage{}, err
	}
	return Usage{
		CPU:        time.Duration(a.userTime+a.kernelTime) * 100,
		MemoryPeak: uint64(e.PeakJobMemoryUsed),
		Processes:  int(a.active),
	}, nil
}

// patience is how long close waits for killed processes to end.
const patience = 5 * time.Second

func (m *jobMembers) close() (Usage, error) {
	err := m.kill()
	u, e := m.usage()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; err == nil && e == nil && u.Processes > 0; pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			err = fmt.Errorf("%d processes do not end", u.Processes)
			break
		}
		time.Sleep(pause)
		u, e = m.usage()
	}
	return u, errors.Join(err, e, m.job.close())
}
