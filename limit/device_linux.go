package limit

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// findDevice finds the number of a device, and whether the kernel can limit it.
func findDevice(name string) (Device, error) {
	dev, err := ParseDevice(name)
	if strings.HasPrefix(name, "/") {
		dev, err = deviceAt(name)
	}
	if err != nil {
		return Device{}, err
	}
	if !exists("/sys/dev", "block") {
		return dev, nil // without sysfs, the kernel says what is wrong when the limit is written
	}
	if !exists("/sys/dev/block", dev.String()) {
		return Device{}, fmt.Errorf("there is no block device %s", dev)
	}
	if exists("/sys/dev/block/"+dev.String(), "partition") {
		return Device{}, fmt.Errorf("%s is a partition, and only whole disks can be limited", name)
	}
	return dev, nil
}

// deviceAt is the number of the device that a path names.
func deviceAt(path string) (Device, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return Device{}, fmt.Errorf("device %s: %s", path, err.Error())
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return Device{}, fmt.Errorf("%s is not a block device", path)
	}
	return Device{unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))}, nil
}
