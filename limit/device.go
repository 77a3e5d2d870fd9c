package limit

import (
	"fmt"
	"strconv"
	"strings"
)

// Device is the number of a block device.
type Device struct {
	Major, Minor uint32
}

// ParseDevice reads a device's number, "major:minor" in decimal digits, as lsblk and /proc/self/mountinfo write it.
func ParseDevice(s string) (Device, error) {
	major, minor, ok := strings.Cut(s, ":")
	if !ok {
		return Device{}, fmt.Errorf("device %q is neither major:minor, as in 8:0, nor a path, as in /dev/sda", s)
	}
	ma, err := deviceNumber(major)
	if err != nil {
		return Device{}, fmt.Errorf("device %q: major number %w", s, err)
	}
	mi, err := deviceNumber(minor)
	if err != nil {
		return Device{}, fmt.Errorf("device %q: minor number %w", s, err)
	}
	return Device{ma, mi}, nil
}

// String gives the device's number as [ParseDevice] reads it.
func (d Device) String() string {
	return strconv.FormatUint(uint64(d.Major), 10) + ":" + strconv.FormatUint(uint64(d.Minor), 10)
}

func deviceNumber(s string) (uint32, error) {
	if strings.HasPrefix(s, "+") {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number below 4294967296", s)
	}
	return uint32(n), nil
}
