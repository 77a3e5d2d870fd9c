package metrics

import (
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// The answers of the API. The members are those of the field, where times are in seconds.
type (
	staticView struct {
		Time        int64           `json:"time" doc:"of the collection, Unix seconds"`
		Host        hostView        `json:"host"`
		OS          osView          `json:"os"`
		Kernel      kernelView      `json:"kernel"`
		CPU         cpuView         `json:"cpu"`
		Memory      memoryView      `json:"memory"`
		Disks       []diskView      `json:"disks" nullable:"false"`
		Partitions  []partitionView `json:"partitions" nullable:"false"`
		NameServers []string        `json:"nameservers" nullable:"false"`
		Gateway     string          `json:"gateway"`
		Interfaces  []interfaceView `json:"interface" nullable:"false"`
		Users       []userView      `json:"user" nullable:"false"`
		Container   *containerView  `json:"container,omitempty" doc:"missing on a machine of its own"`
	}
	hostView struct {
		Name   string `json:"name"`
		Uptime int64  `json:"uptime" doc:"seconds"`
	}
	osView struct {
		Name     string `json:"name" doc:"linux or windows"`
		Platform string `json:"platform_name" example:"debian"`
		Version  string `json:"platform_version" example:"12.11"`
		Install  int64  `json:"install" doc:"when it was installed, Unix seconds; 0 if that is not known"`
		Startup  int64  `json:"startup" doc:"when it was started, Unix seconds"`
	}
	kernelView struct {
		Version string `json:"version"`
		Arch    string `json:"arch"`
	}
	cpuView struct {
		Physical int        `json:"physical" doc:"cores"`
		Logical  int        `json:"logical" doc:"threads of cores"`
		Cores    []coreView `json:"cores" nullable:"false"`
	}
	coreView struct {
		Processor int32   `json:"processor"`
		Model     string  `json:"model"`
		Core      int32   `json:"core"`
		Cores     int32   `json:"cores"`
		Physical  int32   `json:"physical"`
		MHz       float64 `json:"mhz"`
	}
	memoryView struct {
		Physical uint64 `json:"physical" doc:"bytes"`
		Swap     uint64 `json:"swap" doc:"bytes"`
	}
	diskView struct {
		Model      string   `json:"model"`
		Total      uint64   `json:"total" doc:"bytes"`
		Type       string   `json:"type" example:"SSD"`
		Partitions []string `json:"parts,omitempty"`
	}
	partitionView struct {
		Mount   string   `json:"mount"`
		FSType  string   `json:"fstype"`
		Options []string `json:"opts" nullable:"false"`
		Total   uint64   `json:"total" doc:"bytes"`
		Inodes  uint64   `json:"inodes"`
	}
	interfaceView struct {
		Index     int      `json:"index"`
		Name      string   `json:"name"`
		MTU       int      `json:"mtu" doc:"bytes"`
		Flags     []string `json:"flags" nullable:"false"`
		MAC       string   `json:"mac"`
		Addresses []string `json:"addrs" nullable:"false"`
	}
	userView struct {
		Name string `json:"name"`
		ID   string `json:"id"`
		GID  string `json:"gid"`
	}
	containerView struct {
		Runtime string  `json:"runtime" example:"docker"`
		CPUs    float64 `json:"cpus,omitempty" doc:"processors that it may use; missing for all"`
		Memory  uint64  `json:"memory,omitempty" doc:"bytes that it may use; missing for all"`
	}

	dynamicView struct {
		Usage        *usageView        `json:"usage,omitempty"`
		Processes    []processView     `json:"process,omitempty"`
		Connections  []connectionView  `json:"connections,omitempty"`
		Temperatures []temperatureView `json:"temps,omitempty"`
	}
	usageView struct {
		CPU        cpuUsageView         `json:"cpu"`
		Memory     memoryUsageView      `json:"memory"`
		Partitions []partitionUsageView `json:"partitions" nullable:"false"`
		Interfaces []interfaceUsageView `json:"interface" nullable:"false"`
	}
	cpuUsageView struct {
		Usage  float64 `json:"usage" doc:"percent of all processors"`
		Load1  float64 `json:"load1"`
		Load5  float64 `json:"load5"`
		Load15 float64 `json:"load15"`
	}
	memoryUsageView struct {
		Used      uint64  `json:"used" doc:"bytes"`
		Free      uint64  `json:"free" doc:"bytes"`
		Available uint64  `json:"available" doc:"bytes"`
		Usage     float64 `json:"usage" doc:"percent"`
		SwapUsed  uint64  `json:"swap_used" doc:"bytes"`
		SwapFree  uint64  `json:"swap_free" doc:"bytes"`
	}
	partitionUsageView struct {
		Name           string  `json:"name" doc:"where it is mounted"`
		Used           uint64  `json:"used" doc:"bytes"`
		Free           uint64  `json:"free" doc:"bytes"`
		Usage          float64 `json:"usage" doc:"percent"`
		InodesUsed     uint64  `json:"inode_used"`
		InodesFree     uint64  `json:"inode_free"`
		InodesUsage    float64 `json:"inode_usage" doc:"percent"`
		ReadPerSecond  float64 `json:"read_per_second" doc:"bytes"`
		WritePerSecond float64 `json:"write_per_second" doc:"bytes"`
		IOInProgress   uint64  `json:"iops_in_progress" doc:"operations that wait"`
	}
	interfaceUsageView struct {
		Name        string `json:"name"`
		BytesSent   uint64 `json:"bytes_sent"`
		BytesRecv   uint64 `json:"bytes_recv"`
		PacketsSent uint64 `json:"packets_sent"`
		PacketsRecv uint64 `json:"packets_recv"`
	}
	processView struct {
		ID          int32    `json:"id"`
		Parent      int32    `json:"pid"`
		User        string   `json:"user"`
		CPU         float64  `json:"cpu_usage,omitempty" doc:"percent of one core"`
		RSS         uint64   `json:"rss,omitempty" doc:"bytes"`
		VMS         uint64   `json:"vms,omitempty" doc:"bytes"`
		Swap        uint64   `json:"swap,omitempty" doc:"bytes"`
		Memory      float64  `json:"memory_usage,omitempty" doc:"percent"`
		Cmd         []string `json:"cmd,omitempty"`
		Listen      []uint32 `json:"listen,omitempty" doc:"ports"`
		Connections int      `json:"conns"`
	}
	connectionView struct {
		FD     uint32 `json:"fd"`
		PID    int32  `json:"pid"`
		Type   string `json:"type" example:"tcp4"`
		Local  string `json:"local"`
		Remote string `json:"remote"`
		Status string `json:"status" example:"ESTABLISHED"`
	}
	temperatureView struct {
		Name        string  `json:"name"`
		Temperature float64 `json:"temp" doc:"degrees Celsius"`
	}
)

// each makes a list of views, which is never null.
func each[A, B any](list []A, f func(A) B) []B {
	views := make([]B, 0, len(list))
	for _, v := range list {
		views = append(views, f(v))
	}
	return views
}

// some makes a list of views, nil of nothing.
func some[A, B any](list []A, f func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	return each(list, f)
}

func same[T any](v T) T { return v }

// unix is a time in seconds, 0 for none.
func unix(t time.Time) int64 { return max(t.Unix(), 0) }

func viewOfStatic(r wire.HostStaticReply) staticView {
	v := staticView{
		Time:   unix(r.Time),
		Host:   hostView{r.Host.Name, int64(r.Host.Uptime / time.Second)},
		OS:     osView{r.OS.Name, r.OS.Platform, r.OS.PlatformVersion, unix(r.OS.Install), unix(r.OS.Startup)},
		Kernel: kernelView(r.Kernel),
		CPU: cpuView{r.CPU.Physical, r.CPU.Logical, each(r.CPU.Cores, func(c wire.HostCore) coreView {
			return coreView{c.Processor, c.Model, c.Core, c.Cores, c.Physical, float64(c.MHz)}
		})},
		Memory: memoryView(r.Memory),
		Disks: each(r.Disks, func(d wire.HostDisk) diskView {
			return diskView{d.Model, d.Total, d.Type, d.Partitions}
		}),
		Partitions: each(r.Partitions, func(p wire.HostPartition) partitionView {
			return partitionView{p.Name, p.FSType, each(p.Options, same), p.Total, p.Inodes}
		}),
		NameServers: each(r.NameServers, same),
		Gateway:     r.Gateway,
		Interfaces: each(r.Interfaces, func(i wire.HostInterface) interfaceView {
			return interfaceView{i.Index, i.Name, i.MTU, each(i.Flags, same), i.MAC, each(i.Addresses, same)}
		}),
		Users: each(r.Users, func(u wire.HostUser) userView { return userView(u) }),
	}
	if c := r.Container; c != nil {
		v.Container = &containerView{c.Runtime, float64(c.CPUs), c.Memory}
	}
	return v
}

func viewOfUsage(u wire.HostUsage) usageView {
	m := u.Memory
	return usageView{
		CPU:    cpuUsageView{float64(u.CPU.Usage), float64(u.CPU.Load1), float64(u.CPU.Load5), float64(u.CPU.Load15)},
		Memory: memoryUsageView{m.Used, m.Free, m.Available, float64(m.Usage), m.SwapUsed, m.SwapFree},
		Partitions: each(u.Partitions, func(p wire.PartitionUsage) partitionUsageView {
			return partitionUsageView{
				p.Name, p.Used, p.Free, float64(p.Usage), p.InodesUsed, p.InodesFree, float64(p.InodesUsage),
				float64(p.ReadPerSecond), float64(p.WritePerSecond), p.IOInProgress,
			}
		}),
		Interfaces: each(u.Interfaces, func(i wire.InterfaceUsage) interfaceUsageView { return interfaceUsageView(i) }),
	}
}

func viewOfProcess(p wire.HostProcess) processView {
	return processView{
		p.ID, p.Parent, p.User, float64(p.CPU), p.RSS, p.VMS, p.Swap, float64(p.Memory), p.Cmd, p.Listen, p.Connections,
	}
}

func viewOfConnection(c wire.HostConnection) connectionView { return connectionView(c) }

func viewOfTemperature(t wire.HostTemperature) temperatureView {
	return temperatureView{t.Name, float64(t.Temperature)}
}

func viewOfDynamic(r wire.HostDynamicReply) dynamicView {
	v := dynamicView{
		Processes:    some(r.Processes, viewOfProcess),
		Connections:  some(r.Connections, viewOfConnection),
		Temperatures: some(r.Temperatures, viewOfTemperature),
	}
	if r.Usage != nil {
		u := viewOfUsage(*r.Usage)
		v.Usage = &u
	}
	return v
}
