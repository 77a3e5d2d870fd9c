package kvconf

import (
	"bytes"
	"fmt"
	"syscall"
)

// accessList is the attribute that says who else may read the file.
const accessList = "system.posix_acl_access"

// keepExtended gives the file to the extended attributes of the file from. Those that only the system may set, such as some labels,
// may fail; the access list may not.
func keepExtended(to, from string) error {
	names, err := readAttribute(func(buf []byte) (int, error) { return syscall.Listxattr(from, buf) })
	if err != nil {
		return fmt.Errorf("list extended attributes: %w", err)
	}
	for name := range bytes.SplitSeq(names, []byte{0}) {
		if len(name) == 0 {
			continue
		}
		name := string(name)
		value, err := readAttribute(func(buf []byte) (int, error) { return syscall.Getxattr(from, name, buf) })
		if err == nil {
			err = syscall.Setxattr(to, name, value, 0)
		}
		if err != nil && name == accessList {
			return fmt.Errorf("copy the access list: %w", err)
		}
	}
	return nil
}

// readAttribute calls read with a buffer that is large enough. A file system without attributes has none.
func readAttribute(read func([]byte) (int, error)) ([]byte, error) {
	buf := make([]byte, 256)
	for {
		n, err := read(buf)
		switch err {
		case nil:
			return buf[:n], nil
		case syscall.ENOTSUP, syscall.ENODATA, syscall.ENOSYS:
			return nil, nil
		case syscall.ERANGE:
			buf = make([]byte, 4*len(buf)) // the kernel has no attribute beyond 64 KiB
		default:
			return nil, err
		}
	}
}
