package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// killMarked kills every process that has a variable in its environment, until none is left.
func killMarked(mark string) error {
	for range 500 {
		list, err := marked(mark)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, pid := range list {
			if err := killIfMarked(pid, mark); err != nil {
				return fmt.Errorf("kill process %d: %w", pid, err)
			}
		}
		time.Sleep(10 * time.Millisecond) // they take a moment to end, on a busy host a longer one
	}
	return errors.New("processes do not end")
}

// killIfMarked kills a process, and none that has got its number since: the handle is of one that still has the mark.
func killIfMarked(pid int, mark string) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = p.Release() }() // it need not be waited for
	if !hasMark(pid, mark) {
		return nil
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// marked lists the processes that have a variable in their environment. One that has ended has none any more.
func marked(mark string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var list []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() && hasMark(pid, mark) {
			list = append(list, pid)
		}
	}
	return list, nil
}

func hasMark(pid int, mark string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false // it has ended, or is another user's
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if string(v) == mark {
			return true
		}
	}
	return false
}
