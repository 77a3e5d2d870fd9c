package limit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// write sets a file of a control group.
func write(dir, file, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// read gives the content of a file of a control group without the blanks around it.
func read(dir, file string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, file))
	return strings.TrimSpace(string(b)), err
}

// field reads a number from a file of lines "key number …", or with the key "" from one of a number alone; 0 if there is none,
// as of a controller that is not enabled.
func field(dir, file, key string) uint64 {
	content, err := read(dir, file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(content) {
		fields := strings.Fields(line)
		if key != "" && len(fields) > 1 && fields[0] == key {
			fields = fields[1:]
		} else if key != "" || len(fields) == 0 {
			continue
		}
		n, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

// exists says whether a control group has a file, or a child of that name.
func exists(dir, file string) bool {
	_, err := os.Lstat(filepath.Join(dir, file))
	return err == nil
}

// children lists the directories of the groups below one.
func children(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(dir, e.Name()))
		}
	}
	return dirs
}

// rmdir removes a group that has no processes and no groups below it. One that is gone already is none.
func rmdir(dir string) error {
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "remove", Path: dir, Err: err}
	}
	return nil
}

// removeTree removes a group and those below it.
func removeTree(dir string) error {
	for _, child := range children(dir) {
		if err := removeTree(child); err != nil {
			return err
		}
	}
	return rmdir(dir)
}

// mkdir makes a group, or finds it made.
func mkdir(dir string) (made bool, err error) {
	err = os.Mkdir(dir, 0o755)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// pids lists the processes of one group, without those of the groups below it. A process of another process namespace
// is a zero.
func pids(dir string) ([]int, error) {
	s, err := read(dir, "cgroup.procs")
	if err != nil {
		return nil, err
	}
	var list []int
	for f := range strings.FieldsSeq(s) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "cgroup.procs"), err)
		}
		list = append(list, pid)
	}
	return list, nil
}

// why puts an error of a control group file into words for an operator.
func why(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	place := ""
	var pe *fs.PathError
	if errors.As(err, &pe) {
		place = " at " + pe.Path
	}
	switch errno {
	case unix.EROFS:
		return "the control group file system is read-only" + place
	case unix.EACCES, unix.EPERM:
		return fmt.Sprintf("user %d is not permitted to change control groups%s", os.Geteuid(), place)
	case unix.ENOENT:
		return "the kernel or the group above does not offer it" + place
	case unix.EBUSY:
		return "the control group is in use" + place
	default:
		return err.Error()
	}
}
