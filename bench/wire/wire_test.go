package wire_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

const task = "20261120-00009-eda6487f896855c2"

// output is 1 KiB of what a command writes to a terminal.
func output() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 1024; i++ {
		fmt.Fprintf(&b, "-rw-r--r-- 1 root root %6d Nov 20 05:%02d file-%03d.log\r\n", i*7919, i%60, i)
	}
	return b.Bytes()[:1024]
}

// subjects are the messages that are compared.
func subjects(tb testing.TB) []subject {
	data := output()
	come := wire.ComePayload{ID: "agent-20261120-6f51bedf71994cff", Name: "exec-agent", Version: "1.2.3", IP: []byte{192, 0, 2, 10},
		MAC: "02:00:c0:00:02:0a", HostName: "host-01", OS: "linux", Platform: "debian", PlatformVersion: "12.11",
		KernelVersion: "6.1.0-18-amd64", Arch: "x86_64", CPU: "AMD EPYC", CPUCore: 8, Memory: 25276502016}
	info := wire.AgentInfoPayload{Version: "1.2.3", GoVersion: "go1.26.8", CPUUsage: 0.25214595, MemoryUsage: 0.0600873, Threads: 9,
		Routines: 10, Startup: 1795154111, HeapInUse: 19628032, InPackets: 1234, InBytes: 567890, OutPackets: 4321, OutBytes: 987654,
		GC: wire.GCQuantiles{Q0: 0.000040892, Q25: 0.000040892, Q50: 0.001792662, Q75: 0.001792662, Q100: 0.001792662}}
	var all []subject
	all = append(all, of(tb, "exec-data-1KiB", wire.ExecData, &wire.ExecDataPayload{Data: data}, func(u *union) *wire.ExecDataPayload { return u.ExecData },
		alone(task, data), byHand(task, data)))
	all = append(all, of(tb, "come", wire.Come, &come, func(u *union) *wire.ComePayload { return u.Come }))
	all = append(all, of(tb, "agent-info", wire.AgentInfo, &info, func(u *union) *wire.AgentInfoPayload { return u.AgentInfo }))
	all = append(all, of(tb, "usage", wire.HostDynamic.Reply, usage(), func(u *union) *wire.HostDynamicReply { return u.HostDynamicRep }))
	block := wire.DownloadDataPayload{Offset: 65536, Data: wire.Block("$0$" + string(bytes.Repeat([]byte("QUJDREVG"), 5461)))}
	all = append(all, of(tb, "download-32KiB", wire.DownloadData, &block, func(u *union) *wire.DownloadDataPayload { return u.DownloadData }))
	return all
}

// usage is a report of a host with five file systems and three interfaces.
func usage() *wire.HostDynamicReply {
	at := time.Date(2026, 11, 20, 5, 55, 28, 19427235, time.UTC)
	u := &wire.HostUsage{
		CPU:    wire.CPUUsage{Usage: 80.11, Load1: 5.25, Load5: 4.77, Load15: 3.33},
		Memory: wire.MemoryUsage{Used: 473403392, Free: 23015260160, Available: 23878098944, Usage: 1.87},
	}
	for _, name := range []string{"/", "/run/netns", "/opt", "/var/lib/docker", "/home"} {
		u.Partitions = append(u.Partitions, wire.PartitionUsage{Name: name, Used: 37101670400, Free: 60691623936, Usage: 37.94,
			InodesUsed: 722423, InodesFree: 16054793, InodesUsage: 4.31, ReadPerSecond: 16384.41, WritePerSecond: 78447721.11, IOInProgress: 1})
	}
	for _, name := range []string{"lo", "eth0", "eth1"} {
		u.Interfaces = append(u.Interfaces, wire.InterfaceUsage{Name: name, BytesSent: 822897, BytesRecv: 822897, PacketsSent: 2750, PacketsRecv: 2750})
	}
	return &wire.HostDynamicReply{Begin: at, End: at.Add(432 * time.Microsecond), Usage: u}
}

// A subject is one message and those who decode and encode it.
type subject struct {
	name  string
	frame []byte
	peers []peer
}

func of[T any](tb testing.TB, name string, m *wire.Message[T], v *T, get func(*union) *T, more ...peer) subject {
	frame, err := m.Append(nil, task, v)
	if err != nil {
		tb.Fatal(err)
	}
	peers, err := peersFor(m, frame, get)
	if err != nil {
		tb.Fatal(err)
	}
	return subject{name, frame, append(peers, more...)}
}

func BenchmarkDecode(b *testing.B) {
	for _, s := range subjects(b) {
		compare(b, s, func(p peer) func() error { return func() error { return p.decode(s.frame) } })
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, s := range subjects(b) {
		buf := make([]byte, 0, 2*len(s.frame))
		compare(b, s, func(p peer) func() error {
			return func() error {
				_, err := p.encode(buf)
				return err
			}
		})
	}
}

// compare runs the peers one after the other and reports how many times as fast as the first each is, by the time that
// they compute.
func compare(b *testing.B, s subject, work func(peer) func() error) {
	var first float64
	for _, p := range s.peers {
		do := work(p)
		b.Run(s.name+"/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.frame)))
			start := cpuTime(b)
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
			took := float64(cpuTime(b)-start) / float64(b.N)
			if first == 0 {
				first = took
			}
			b.ReportMetric(took, "cpu-ns/op")
			b.ReportMetric(first/took, "x-encoding/json")
		})
	}
}
