package limit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"
)

// Config is what a program asks for itself. Its zero value asks for nothing.
type Config struct {
	// Name names the program's control group, "jkframe-<Name>". Two programs of one name on one host each get a group
	// of their own, the second one's ending in "-2". By default, the name of the executable.
	Name string `kv:"-"`

	// CPUQuota is how much CPU time the program and its children may use together, in percent of one core: 100 is one
	// core, 250 is two and a half. By default, no limit.
	CPUQuota int `kv:"cpu_quota" desc:"CPU time of the agent and its children, in percent of one core; 0: no limit"`

	// Memory is how many bytes the program and its children may use together. They are not given more by swapping. By
	// default, no limit.
	Memory int64 `kv:"memory_limit,bytes" desc:"memory of the agent and its children, in bytes; 0: no limit"`

	// Disk limits the traffic of the program and its children, device by device. By default, no limit.
	Disk []Disk `kv:"disk_limit" desc:"limits of disk traffic, a list of devices"`
}

// Disk limits the traffic to one block device. A field that is zero sets no limit. With control groups of version 1, only
// writes that pass by the page cache (O_DIRECT) are limited; with version 2 all are, on file systems that tell the kernel
// whose a write is, as ext4, XFS and btrfs do.
type Disk struct {
	// Dev is the device, as numbers ("8:0") or as a path ("/dev/sda"). It is a whole disk: kernels count the traffic of
	// partitions for their disk.
	Dev string `kv:"dev" desc:"block device, as major:minor or as a path"`

	ReadBytes  uint64 `kv:"read_bytes,bytes" desc:"bytes read a second; 0: no limit"`
	WriteBytes uint64 `kv:"write_bytes,bytes" desc:"bytes written a second; 0: no limit"`
	ReadIOPS   uint64 `kv:"read_iops" desc:"read operations a second; 0: no limit"`
	WriteIOPS  uint64 `kv:"write_iops" desc:"write operations a second; 0: no limit"`
}

// maxQuota is a hundred thousand cores, more than any machine has.
const maxQuota = 100 * 100_000

// Validate says what in c makes no sense on any host, all of it at once; nil when there is nothing.
func (c Config) Validate() error {
	var errs []error
	if err := validName(c.Name); err != nil {
		errs = append(errs, err)
	}
	if c.CPUQuota < 0 || c.CPUQuota > maxQuota {
		errs = append(errs, fmt.Errorf("cpu_quota: %d is not a percentage of one core (0 to %d)", c.CPUQuota, maxQuota))
	}
	if c.Memory < 0 {
		errs = append(errs, fmt.Errorf("memory_limit: %d bytes is less than nothing", c.Memory))
	}
	seen := map[string]int{}
	for i, d := range c.Disk {
		if err := d.validate(); err != nil {
			errs = append(errs, fmt.Errorf("disk_limit: entry %d: %w", i+1, err))
			continue
		}
		key := d.Dev
		if dev, err := ParseDevice(d.Dev); err == nil {
			key = dev.String()
		}
		if first, ok := seen[key]; ok {
			errs = append(errs, fmt.Errorf("disk_limit: entry %d: device %s is entry %d already", i+1, d.Dev, first))
			continue
		}
		seen[key] = i + 1
	}
	return errors.Join(errs...)
}

// sensible is c without what makes no sense. Devices are left to be refused one by one.
func (c Config) sensible() Config {
	if c.Name == "" || validName(c.Name) != nil {
		c.Name = programName()
	}
	if c.CPUQuota < 0 || c.CPUQuota > maxQuota {
		c.CPUQuota = 0
	}
	c.Memory = max(c.Memory, 0)
	return c
}

// none says that c asks for nothing.
func (c Config) none() bool {
	return c.CPUQuota == 0 && c.Memory == 0 && !slices.ContainsFunc(c.Disk, func(d Disk) bool { return len(d.rates()) > 0 })
}

func (d Disk) validate() error {
	if d.Dev == "" {
		return errors.New(`"dev" is missing`)
	}
	if strings.HasPrefix(d.Dev, "/") {
		return nil // it is looked up on the host
	}
	_, err := ParseDevice(d.Dev)
	return err
}

// rate is one limit of a disk.
type rate struct {
	name  string // as in the configuration
	value uint64
}

// rates lists the limits that d sets.
func (d Disk) rates() []rate {
	var set []rate
	for _, r := range []rate{
		{"read_bytes", d.ReadBytes},
		{"write_bytes", d.WriteBytes},
		{"read_iops", d.ReadIOPS},
		{"write_iops", d.WriteIOPS},
	} {
		if r.value > 0 {
			set = append(set, r)
		}
	}
	return set
}

// validName accepts what can be part of a file's name; the prefix or suffix around it takes care of "." and "..".
func validName(name string) error {
	if strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f || r == utf8.RuneError }) {
		return fmt.Errorf("name %q holds characters that no control group can have", name)
	}
	if len(name) > 200 {
		return fmt.Errorf("name is %d bytes long, at most 200 are possible", len(name))
	}
	return nil
}

// programName is the name of a program that gave none.
func programName() string {
	exe, err := os.Executable()
	if err != nil {
		return "agent"
	}
	name := filepath.Base(exe)
	if runtime.GOOS == "windows" {
		name = strings.TrimSuffix(name, ".exe")
	}
	if validName(name) != nil {
		return "agent"
	}
	return name
}

// results lists the limits that c asks for, in its order, with nothing holding them and note saying why.
func (c Config) results(note string) []Result {
	var all []Result
	if c.CPUQuota > 0 {
		all = append(all, Result{Limit: CPUQuota, Want: uint64(c.CPUQuota), Mechanism: None, Note: note})
	}
	if c.Memory > 0 {
		all = append(all, Result{Limit: Memory, Want: uint64(c.Memory), Mechanism: None, Note: note})
	}
	for _, d := range c.Disk {
		for _, r := range d.rates() {
			all = append(all, Result{Limit: "disk_limit." + r.name, Device: d.Dev, Want: r.value, Mechanism: None, Note: note})
		}
	}
	return all
}
