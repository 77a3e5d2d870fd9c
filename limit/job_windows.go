package limit

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// job is a job object.
type job struct {
	handle windows.Handle
}

func newJob() (job, error) {
	h, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return job{}, os.NewSyscallError("CreateJobObject", err)
	}
	return job{h}, nil
}

// cpuRate is JOBOBJECT_CPU_RATE_CONTROL_INFORMATION of winnt.h.
type cpuRate struct {
	flags uint32
	rate  uint32 // hundredths of a percent of all the machine's processors
}

// Flags of cpuRate.
const (
	rateEnable  = 0x1
	rateHardCap = 0x4
)

// setCPU limits the job to percent of one core; 0 takes the limit off.
func (j job) setCPU(percent uint64) error {
	info := cpuRate{}
	if percent > 0 {
		info.flags = rateEnable | rateHardCap
		info.rate = uint32(min(max(percent*100/uint64(runtime.NumCPU()), 1), 10_000))
	}
	return j.set(windows.JobObjectCpuRateControlInformation, unsafe.Pointer(&info), unsafe.Sizeof(info))
}

// bounds are the limits of a job that Windows sets together; what is zero is no limit.
type bounds struct {
	memory    uint64 // bytes
	processes uint64
}

func (j job) setBounds(b bounds) error {
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if b.memory > uint64(^uintptr(0)) {
		return fmt.Errorf("%s is more than a 32-bit process can set", size(b.memory))
	}
	if b.memory > 0 {
		info.BasicLimitInformation.LimitFlags |= windows.JOB_OBJECT_LIMIT_JOB_MEMORY
		info.JobMemoryLimit = uintptr(b.memory)
	}
	if b.processes > 0 {
		info.BasicLimitInformation.LimitFlags |= windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS
		info.BasicLimitInformation.ActiveProcessLimit = uint32(min(b.processes, math.MaxUint32))
	}
	return j.set(windows.JobObjectExtendedLimitInformation, unsafe.Pointer(&info), unsafe.Sizeof(info))
}

func (j job) set(class uint32, info unsafe.Pointer, size uintptr) error {
	var pin runtime.Pinner // the call takes a number for the address, which a growing stack would not follow
	pin.Pin(info)
	defer pin.Unpin()
	_, err := windows.SetInformationJobObject(j.handle, class, uintptr(info), uint32(size))
	return os.NewSyscallError("SetInformationJobObject", err)
}

func (j job) query(class int32, info unsafe.Pointer, size uintptr) error {
	var pin runtime.Pinner
	pin.Pin(info)
	defer pin.Unpin()
	err := windows.QueryInformationJobObject(j.handle, class, uintptr(info), uint32(size), nil)
	return os.NewSyscallError("QueryInformationJobObject", err)
}

// add puts a process and what it starts from now on into the job.
func (j job) add(process windows.Handle) error {
	return os.NewSyscallError("AssignProcessToJobObject", windows.AssignProcessToJobObject(j.handle, process))
}

func (j job) close() error {
	return os.NewSyscallError("CloseHandle", windows.CloseHandle(j.handle))
}
