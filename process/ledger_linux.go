package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// killMarked kills every process that has a variable in its environment, until none is left.
func killMarked(mark string) error {
	for range 100 {
		list, err := marked(mark)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, pid := range list {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("kill process %d: %w", pid, err)
			}
		}
		time.Sleep(10 * time.Millisecond) // they take a moment to end
	}
	return errors.New("processes do not end")
}

// marked lists the processes that have a variable in their environment. One that has ended has none any more.
func marked(mark string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var list []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil {
			continue // it has ended, or is another user's
		}
		for v := range bytes.SplitSeq(env, []byte{0}) {
			if string(v) == mark {
				list = append(list, pid)
				break
			}
		}
	}
	return list, nil
}
