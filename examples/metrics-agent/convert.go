package main

import (
	"context"

	"github.com/jkstack/jkframe/v2/hostmetrics"
	"github.com/jkstack/jkframe/v2/wire"
)

// staticReply says on the wire what a host is. There, what is absent is left out, as a zero is.
func staticReply(s *hostmetrics.Static) wire.HostStaticReply {
	r := wire.HostStaticReply{
		Time:        s.Time,
		Host:        wire.HostName{Name: s.Host.Name, Uptime: s.Host.Uptime},
		OS:          wire.HostOS{Name: s.OS.Name, Platform: s.OS.Platform, PlatformVersion: s.OS.Version, Install: s.OS.Installed, Startup: s.OS.Started},
		Kernel:      wire.HostKernel(s.Kernel),
		CPU:         wire.HostCPU{Physical: s.CPU.Physical, Logical: s.CPU.Logical},
		Memory:      wire.HostMemory(s.Memory),
		NameServers: s.NameServers,
		Gateway:     s.Gateway,
	}
	for _, c := range s.CPU.Cores {
		r.CPU.Cores = append(r.CPU.Cores, wire.HostCore{
			Processor: int32(c.Processor), Model: c.Model, Core: int32(c.Core), Cores: int32(c.Cores), Physical: int32(c.Package), MHz: wire.Float2(c.MHz),
		})
	}
	for _, d := range s.Disks {
		r.Disks = append(r.Disks, wire.HostDisk{Model: d.Model, Total: d.Total, Type: d.Type, Partitions: d.Partitions})
	}
	for _, p := range s.Partitions {
		r.Partitions = append(r.Partitions, wire.HostPartition{
			Name: p.Mount, FSType: p.FSType, Options: p.Options, Total: p.Total, Inodes: value(p.Inodes),
		})
	}
	for _, i := range s.Interfaces {
		r.Interfaces = append(r.Interfaces, wire.HostInterface(i))
	}
	for _, u := range s.Users {
		r.Users = append(r.Users, wire.HostUser(u))
	}
	if c := s.Container; c != nil {
		r.Container = &wire.HostContainer{Runtime: c.Runtime, CPUs: wire.Float2(value(c.CPUs)), Memory: value(c.Memory)}
	}
	return r
}

// value returns what is there, zero if nothing is.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (a *app) addUsage(ctx context.Context, r *wire.HostDynamicReply) error {
	u, err := a.host.Usage(ctx)
	if err != nil {
		return err
	}
	load, memory, swap := value(u.Load), value(u.Memory), value(u.Swap)
	r.Usage = &wire.HostUsage{
		CPU: wire.CPUUsage{
			Usage: wire.Float2(value(u.CPU)), Load1: wire.Float2(load.One), Load5: wire.Float2(load.Five), Load15: wire.Float2(load.Fifteen),
		},
		Memory: wire.MemoryUsage{
			Used: memory.Used, Free: memory.Free, Available: memory.Available, Usage: wire.Float2(memory.Share),
			SwapUsed: swap.Used, SwapFree: swap.Free,
		},
	}
	for _, p := range u.Partitions {
		inodes, io := value(p.Inodes), value(p.IO)
		r.Usage.Partitions = append(r.Usage.Partitions, wire.PartitionUsage{
			Name: p.Mount, Used: p.Used, Free: p.Free, Usage: wire.Float2(p.Share),
			InodesUsed: inodes.Used, InodesFree: inodes.Free, InodesUsage: wire.Float2(inodes.Share),
			ReadPerSecond: wire.Float2(value(io.ReadPerSecond)), WritePerSecond: wire.Float2(value(io.WritePerSecond)), IOInProgress: io.InProgress,
		})
	}
	for _, i := range u.Interfaces {
		r.Usage.Interfaces = append(r.Usage.Interfaces, wire.InterfaceUsage(i))
	}
	return nil
}

func (a *app) addProcesses(ctx context.Context, r *wire.HostDynamicReply, q hostmetrics.ProcessQuery) error {
	list, err := a.host.Processes(ctx, q)
	for _, p := range list {
		r.Processes = append(r.Processes, wire.HostProcess{
			ID: p.ID, Parent: p.Parent, User: p.User, CPU: wire.Float2(p.CPU), RSS: p.RSS, VMS: p.VMS, Swap: p.Swap, Memory: wire.Float2(p.Memory),
			Cmd: p.Command, Listen: p.Listen, Connections: p.Connections,
		})
	}
	return err
}

func (a *app) addConnections(ctx context.Context, r *wire.HostDynamicReply, types []string, perSecond int) error {
	if len(types) == 0 {
		return nil
	}
	list, err := a.host.Connections(ctx, hostmetrics.ConnectionQuery{Kinds: types, PerSecond: perSecond})
	for _, c := range list {
		r.Connections = append(r.Connections, wire.HostConnection(c))
	}
	return err
}

func (a *app) addTemperatures(ctx context.Context, r *wire.HostDynamicReply) error {
	list, err := a.host.Temperatures(ctx)
	for _, t := range list {
		r.Temperatures = append(r.Temperatures, wire.HostTemperature{Name: t.Name, Temperature: wire.Float2(t.Celsius)})
	}
	return err
}
