package hostmetrics

import (
	"context"
	"time"
)

// Static is what a machine is: what seldom changes.
type Static struct {
	Time        time.Time // of the collection
	Host        Host
	OS          OS
	Kernel      Kernel
	CPU         CPU
	Memory      Memory
	Disks       []Disk
	Partitions  []Partition
	NameServers []string
	Gateway     string // of the default route; of IPv4 if there are two
	Interfaces  []Interface
	Users       []User
	Container   *Container // nil on a machine of its own
}

// Host is a machine's name and age.
type Host struct {
	Name   string
	Uptime time.Duration // in whole seconds
}

// OS is an operating system.
type OS struct {
	Name      string // linux, windows
	Platform  string // debian, centos
	Version   string // 7.7.1908
	Installed time.Time
	Started   time.Time
}

// Kernel is a kernel.
type Kernel struct {
	Version string // 3.10.0-1062.el7.x86_64
	Arch    string // as the kernel says it: x86_64
}

// CPU is a machine's processors.
type CPU struct {
	Physical int // cores
	Logical  int // threads of cores
	Cores    []Core
}

// Core is one logical processor.
type Core struct {
	Processor int // its number, from 0
	Model     string
	Core      int // number of the core in its package
	Cores     int // how many cores its package has
	Package   int // number of its package
	MHz       float64
}

// Memory is how much memory a machine has, or what its container may use of it.
type Memory struct {
	Physical uint64 // bytes
	Swap     uint64 // bytes
}

// Disk is one disk.
type Disk struct {
	Name       string // sda
	Model      string
	Total      uint64   // bytes
	Type       string   // HDD, SSD, FDD, ODD
	Partitions []string // names
}

// Partition is one file system that is mounted. Each is there once, however often it is mounted.
type Partition struct {
	Mount   string // where it is mounted: /run, C:
	FSType  string // ext4, NTFS
	Options []string
	Total   uint64  // bytes
	Inodes  *uint64 // nil where the file system has no fixed number of them
}

// Interface is one network interface.
type Interface struct {
	Index     int
	Name      string
	MTU       int      // bytes
	Flags     []string // up, loopback
	MAC       string
	Addresses []string // with the length of the network: 192.0.2.10/24
}

// User is one account.
type User struct {
	Name, ID, GID string
}

// Container is what encloses this process.
type Container struct {
	Runtime string   // docker, podman, lxc, kubernetes; "container" if unknown
	CPUs    *float64 // how many processors it may use, nil for all
	Memory  *uint64  // bytes that it may use, nil for all
}

// Static says what the machine is. It fails only when ctx ends.
func (c *Collector) Static(ctx context.Context) (Static, error) {
	s := Static{Time: time.Now()}
	items := []item[Static]{
		{name: "host", read: c.readHost},
		{name: "os", read: c.readOS},
		{name: "kernel", read: c.readKernel},
		{name: "cpu", read: c.readCPU},
		{name: "memory", read: c.readMemory},
		{name: "disks", read: c.readDisks},
		{name: "name servers", read: c.readNameServers},
		{name: "gateway", read: c.readGateway},
		{name: "interfaces", read: c.readInterfaces},
		{name: "users", read: c.readUsers},
		{name: "container", read: c.readContainer},
	}
	for _, m := range c.listMounts(ctx) {
		items = append(items, item[Static]{"mount " + m.point, func(context.Context) (func(*Static), error) {
			return c.readPartition(m)
		}, true})
	}
	err := collect(ctx, c, &s, items)
	sortPartitions(s.Partitions)
	return s, err
}
