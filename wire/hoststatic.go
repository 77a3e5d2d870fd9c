package wire

import "time"

// HostStatic asks what a host is. An agent also sends the reply unasked, without a task.
var HostStatic = Call[Empty, HostStaticReply]{
	Request: Define[Empty](30, "host static request", "", Query),
	Reply:   Define[HostStaticReply](31, "host static", "hm_static"),
}

// HostStaticReply says what a host is: what seldom changes.
type HostStaticReply struct {
	Time        time.Time       `json:"time"` // of the collection
	Host        HostName        `json:"host"`
	OS          HostOS          `json:"os"`
	Kernel      HostKernel      `json:"kernel"`
	CPU         HostCPU         `json:"cpu"`
	Memory      HostMemory      `json:"memory"`
	Disks       []HostDisk      `json:"disks,omitempty"`
	Partitions  []HostPartition `json:"parts,omitempty"`
	NameServers []string        `json:"nameservers,omitempty"`
	Gateway     string          `json:"gateway,omitempty"`
	Interfaces  []HostInterface `json:"interface,omitempty"`
	Users       []HostUser      `json:"user,omitempty"`
	Container   *HostContainer  `json:"container,omitempty"` // ours: nil on a machine of its own, and from agents of the field
}

// HostName is a host's name and age.
type HostName struct {
	Name   string        `json:"name,omitempty"`
	Uptime time.Duration `json:"uptime,omitempty"`
}

// HostOS is a host's operating system.
type HostOS struct {
	Name            string    `json:"name,omitempty"`     // linux, windows
	Platform        string    `json:"pname,omitempty"`    // debian, centos
	PlatformVersion string    `json:"pversion,omitempty"` // 7.7.1908
	Install         time.Time `json:"install"`            // when it was installed
	Startup         time.Time `json:"startup"`            // when it was started
}

// HostKernel is a host's kernel.
type HostKernel struct {
	Version string `json:"version,omitempty"` // 3.10.0-1062.el7.x86_64
	Arch    string `json:"arch,omitempty"`    // as the kernel says it: x86_64
}

// HostCPU is a host's processors.
type HostCPU struct {
	Physical int        `json:"physical,omitempty"` // how many cores
	Logical  int        `json:"logical,omitempty"`  // how many threads of cores
	Cores    []HostCore `json:"cores,omitempty"`
}

// HostCore is one logical processor.
type HostCore struct {
	Processor int32  `json:"processor,omitempty"` // its number, from 0
	Model     string `json:"model,omitempty"`
	Core      int32  `json:"core,omitempty"`     // number of the physical core it belongs to
	Cores     int32  `json:"cores,omitempty"`    // how many cores its package has
	Physical  int32  `json:"physical,omitempty"` // number of its package
	MHz       Float2 `json:"mhz,omitempty"`
}

// HostMemory is how much memory a host has.
type HostMemory struct {
	Physical uint64 `json:"physical,omitempty"` // bytes
	Swap     uint64 `json:"swap,omitempty"`     // bytes
}

// HostDisk is one disk.
type HostDisk struct {
	Model      string   `json:"model,omitempty"`
	Total      uint64   `json:"total,omitempty"` // bytes
	Type       string   `json:"type,omitempty"`  // HDD, SSD, FDD, ODD
	Partitions []string `json:"parts,omitempty"` // names of its partitions
}

// HostPartition is one file system that is mounted.
type HostPartition struct {
	Name    string   `json:"name,omitempty"`   // where it is mounted: /run, C:
	FSType  string   `json:"fstype,omitempty"` // ext4, NTFS
	Options []string `json:"opts,omitempty"`
	Total   uint64   `json:"total,omitempty"` // bytes
	Inodes  uint64   `json:"inodes,omitempty"`
}

// HostInterface is one network interface.
type HostInterface struct {
	Index     int      `json:"index,omitempty"`
	Name      string   `json:"name,omitempty"`
	MTU       int      `json:"mtu,omitempty"` // bytes
	Flags     []string `json:"flags,omitempty"`
	MAC       string   `json:"mac,omitempty"`
	Addresses []string `json:"addrs,omitempty"` // with the length of the network: 192.0.2.10/24
}

// HostUser is one account of a host.
type HostUser struct {
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
	GID  string `json:"gid,omitempty"`
}

// HostContainer is what encloses an agent.
type HostContainer struct {
	Runtime string `json:"runtime" wire:"max=255"`
	CPUs    Float2 `json:"cpus,omitempty"`   // how many processors it may use
	Memory  uint64 `json:"memory,omitempty"` // bytes that it may use
}
