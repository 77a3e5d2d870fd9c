package limit

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canCloneInto says whether the kernel can make a process in a group: Linux can since 5.7, unless a container's filter of
// system calls is older than that.
func canCloneInto() bool {
	// A call that is complete but for its group, which no descriptor can be: a kernel that knows of groups says EINVAL
	// and makes no process, one that does not says E2BIG, and a filter EPERM or ENOSYS.
	args := struct {
		flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
	}{flags: unix.CLONE_INTO_CGROUP, cgroup: 1 << 63}
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	return errno == unix.EINVAL
}

// startStopped starts cmd so that it stops before its first instruction, has place put it somewhere, and lets it go. If
// place fails, the process never runs.
func startStopped(cmd *exec.Cmd, place func(pid int) error) error {
	runtime.LockOSThread() // what is traced is known to the thread that forked it
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr.Ptrace = true
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	err := awaitStop(pid)
	if err == nil {
		err = place(pid)
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("put process %d into its group: %w", pid, err), cmd.Process.Kill())
		_ = cmd.Wait() // says that it was killed
		return err
	}
	if err := syscall.PtraceDetach(pid); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("let process %d run: %w", pid, err)
	}
	return nil
}

// awaitStop waits until a traced child has stopped, and leaves its state to be waited for.
func awaitStop(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT|unix.WALL, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
