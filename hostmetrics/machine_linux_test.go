package hostmetrics_test

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/hostmetrics"
)

// machine is the /proc, /sys and /etc of a machine that there is not.
type machine struct {
	t    testing.TB
	root string

	mu       sync.Mutex // guards warnings
	warnings []hostmetrics.Warning
}

func newMachine(t testing.TB) *machine {
	m := &machine{t: t, root: t.TempDir()}
	m.write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n")
	m.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 300 kB\nSReclaimable: 50 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
	m.write("proc/uptime", "1000.00 900.00\n")
	m.write("proc/loadavg", "0.50 1.00 1.50 1/100 123\n")
	m.write("proc/net/dev", "Inter-|\n face |bytes\n    lo: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n")
	m.write("proc/diskstats", "")
	m.write("proc/self/mountinfo", "")
	for _, f := range []string{"tcp", "tcp6", "udp", "udp6", "unix"} {
		m.write("proc/net/"+f, "head\n")
	}
	return m
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	file := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// process adds a process that has had so many seconds of CPU time.
func (m *machine) process(pid int, name, cmdline string, seconds float64) {
	dir := "proc/" + strconv.Itoa(pid) + "/"
	m.write(dir+"stat", fmt.Sprintf("%d (%s) S 1 1 1 0 -1 0 0 0 0 0 %d 0 0 0 20 0 1 0 10 4096000 100 0 0\n", pid, name, int(seconds*100)))
	m.write(dir+"status", "Name:\tx\nUid:\t0\t1000\t0\t0\nVmSwap:\t     4 kB\n")
	m.write(dir+"cmdline", cmdline)
	if err := os.MkdirAll(filepath.Join(m.root, dir, "fd"), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// socket gives a process a socket.
func (m *machine) socket(pid, fd, inode int) {
	m.t.Helper()
	if err := os.Symlink(fmt.Sprintf("socket:[%d]", inode), filepath.Join(m.root, "proc", strconv.Itoa(pid), "fd", strconv.Itoa(fd))); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) collector() *hostmetrics.Collector {
	return hostmetrics.New(&hostmetrics.Options{Root: m.root, Warn: func(w hostmetrics.Warning) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.warnings = append(m.warnings, w)
	}})
}

func (m *machine) warned() []hostmetrics.Warning {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.warnings)
}

func mountLine(id int, device, root, point, fstype, source string) string {
	return fmt.Sprintf("%d 1 %s %s %s rw,relatime shared:1 - %s %s rw\n", id, device, root, point, fstype, source)
}

// The space of a file system is counted once, however often it or a part of it is mounted, and what holds no data is not counted.
func TestMounts(t *testing.T) {
	m := newMachine(t)
	for _, dir := range []string{"data", "data with blank", "bind", "nfs", "sub", "covered", "snap/x/1"} {
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.write("proc/1/mountinfo", strings.Join([]string{
		mountLine(20, "8:1", "/", "/", "ext4", "/dev/sda1"),
		mountLine(21, "8:1", "/opt", "/bind", "ext4", "/dev/sda1"),
		mountLine(22, "8:1", "/etc/passwd", "/etc/passwd", "ext4", "/dev/sda1"),
		mountLine(23, "8:2", "/sub", "/sub", "xfs", "/dev/sda2"),
		mountLine(24, "8:2", "/", `/data\040with\040blank`, "xfs", "/dev/sda2"),
		mountLine(25, "0:50", "/", "/nfs", "nfs4", "server:/x"),
		mountLine(26, "0:21", "/", "/proc", "proc", "proc"),
		mountLine(27, "0:22", "/", "/dev/shm", "tmpfs", "tmpfs"),
		mountLine(28, "8:3", "/", "/covered", "ext4", "/dev/sda3"),
		mountLine(29, "0:23", "/", "/covered", "tmpfs", "tmpfs"),
		mountLine(30, "7:1", "/", "/snap/x/1", "squashfs", "/dev/loop1"),
		mountLine(31, "0:60", "/a", "/data", "btrfs", "/dev/sdb"),
		mountLine(32, "0:61", "/b", "/data2", "btrfs", "/dev/sdb"),
		"a line that is none\n", "1 2 3 - \n", " - \n",
	}, ""))
	c := m.collector()
	s, err := c.Static(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	for _, p := range s.Partitions {
		points = append(points, p.Mount)
		if p.Total == 0 || !slices.Contains(p.Options, "relatime") {
			t.Errorf("%+v", p)
		}
	}
	if want := []string{"/", "/data", "/data with blank", "/nfs"}; !slices.Equal(points, want) {
		t.Errorf("mounts %q, want %q", points, want)
	}
	u, err := c.Usage(t.Context())
	if err != nil || len(u.Partitions) != len(points) {
		t.Errorf("usage of %d mounts, %v", len(u.Partitions), err)
	}
}

// What a disk does is counted between two reports; one that was plugged in again, or is new, makes no rate of its whole past.
func TestDiskTraffic(t *testing.T) { synctest.Test(t, diskTraffic) }

func diskTraffic(t *testing.T) {
	m := newMachine(t)
	m.write("proc/1/mountinfo", mountLine(20, "8:1", "/", "/", "ext4", "/dev/sda1"))
	counters := func(read, written int) {
		m.write("proc/diskstats", fmt.Sprintf("8 1 sda1 1 0 %d 0 1 0 %d 0 3 0 0\n", read, written))
	}
	counters(1000, 7_000_000)
	c := m.collector()
	rates := func(read, written int) string {
		time.Sleep(5 * time.Second)
		counters(read, written)
		u, err := c.Usage(t.Context())
		if err != nil || len(u.Partitions) != 1 || u.Partitions[0].IO == nil {
			t.Fatalf("%+v, %v", u.Partitions, err)
		}
		io, text := u.Partitions[0].IO, ""
		for _, v := range []*float64{io.ReadPerSecond, io.WritePerSecond} {
			if v == nil {
				text += " none"
			} else {
				text += fmt.Sprintf(" %g", *v)
			}
		}
		return text
	}
	for _, step := range []struct {
		read, written int
		want          string
	}{
		{2000, 7_000_050, " 102400 5120"},
		{2000, 7_000_050, " 0 0"},
		{10, 20, " none none"}, // what it had written was 3.6 GB, close to what a counter of 32 bits could hold
		{20, 30, " 1024 1024"},
	} {
		if got := rates(step.read, step.written); got != step.want {
			t.Errorf("at %d and %d sectors:%s bytes a second, want%s", step.read, step.written, got, step.want)
		}
	}
}

// A host with many mounts, or one that several ask at once, is told of whole.
func TestAllAtOnce(t *testing.T) {
	m := newMachine(t)
	const n = 300
	var mounts strings.Builder
	for i := range n {
		point := fmt.Sprintf("/v%d", i)
		if err := os.Mkdir(filepath.Join(m.root, point), 0o755); err != nil {
			t.Fatal(err)
		}
		mounts.WriteString(mountLine(i, fmt.Sprintf("8:%d", i), "/", point, "ext4", "/dev/x"))
	}
	m.write("proc/1/mountinfo", mounts.String())
	c := m.collector()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if u, err := c.Usage(t.Context()); err != nil || len(u.Partitions) != n || u.Memory == nil || u.Load == nil {
				t.Errorf("usage of %d file systems, memory %v, load %v, %v", len(u.Partitions), u.Memory, u.Load, err)
			}
			if s, err := c.Static(t.Context()); err != nil || len(s.Partitions) != n || s.Memory.Physical == 0 {
				t.Errorf("%d file systems, memory %v, %v", len(s.Partitions), s.Memory, err)
			}
		})
	}
	all.Wait()
	if w := m.warned(); len(w) > 0 {
		t.Errorf("warned of a machine where all works: %v", w)
	}
}

// What fails report after report is told as new once, and once more after it has worked.
func TestWarnsAgain(t *testing.T) {
	m := newMachine(t)
	c := m.collector()
	load := func(text string) {
		t.Helper()
		m.write("proc/loadavg", text)
		if _, err := c.Usage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	load("nonsense")
	load("nonsense")
	load("0.5 1 1.5 1/100 123")
	load("nonsense")
	var again []bool
	for _, w := range m.warned() {
		if w.Item != "load" || w.String() != `load: "nonsense" is no load` {
			t.Errorf("%v", w)
		}
		again = append(again, w.Again)
	}
	if !slices.Equal(again, []bool{false, true, false}) {
		t.Errorf("again: %v", again)
	}
}

// What a report says is what the files say, and what they do not say is absent.
func TestUsageOfMachine(t *testing.T) {
	m := newMachine(t)
	c := m.collector()
	m.write("proc/stat", "cpu  150 0 100 950 0 0 0 0 0 0\n") // 50 of 200
	u, err := c.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if u.CPU == nil || *u.CPU != 25 {
		t.Errorf("cpu %v, want 25", u.CPU)
	}
	if u.Load == nil || *u.Load != (hostmetrics.Load{One: 0.5, Five: 1, Fifteen: 1.5}) {
		t.Errorf("load %+v", u.Load)
	}
	if want := (hostmetrics.MemoryUsage{Used: 500 << 10, Free: 100 << 10, Available: 600 << 10, Share: 50}); u.Memory == nil || *u.Memory != want {
		t.Errorf("memory %+v, want %+v", u.Memory, want)
	}
	if u.Swap != nil {
		t.Errorf("swap %+v, of a machine without", u.Swap)
	}
	if want := (hostmetrics.InterfaceUsage{Name: "lo", BytesRecv: 10, PacketsRecv: 1, BytesSent: 20, PacketsSent: 2}); len(u.Interfaces) != 1 || u.Interfaces[0] != want {
		t.Errorf("interfaces %+v", u.Interfaces)
	}
	if w := m.warned(); len(w) > 0 {
		t.Errorf("warned of a machine that says everything: %v", w)
	}
	if err := os.RemoveAll(filepath.Join(m.root, "proc")); err != nil {
		t.Fatal(err)
	}
	u, err = c.Usage(t.Context())
	if err != nil || u.CPU != nil || u.Load != nil || u.Memory != nil || u.Interfaces != nil {
		t.Errorf("of a machine that says nothing: %+v, %v", u, err)
	}
}

// In a container that is limited, its limits count; a control group that the agent has made for itself is none.
func TestContainer(t *testing.T) {
	for name, group := range map[string]map[string]string{
		"v2": {
			"memory.max": "524288\n", "memory.current": "262144\n", "memory.stat": "anon 1\ninactive_file 131072\n",
			"cpu.max": "50000 100000\n", "cpu.stat": "usage_usec 1000000\nuser_usec 1\n",
		},
		"v1": {
			"memory/memory.limit_in_bytes": "524288\n", "memory/memory.usage_in_bytes": "262144\n", "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 131072\n",
			"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n", "cpuacct/cpuacct.usage": "1000000000\n",
		},
		"none": {
			"memory.max": "max\n", "cpu.max": "max 100000\n",
		},
		"none v1": {
			"memory/memory.limit_in_bytes": "9223372036854771712\n", "cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			for file, text := range group {
				m.write("sys/fs/cgroup/"+file, text)
			}
			s, err := m.collector().Static(t.Context())
			if err != nil || s.Container != nil || s.Memory.Physical != 1000<<10 {
				t.Errorf("without a container: %+v, %+v, %v", s.Container, s.Memory, err)
			}
			m.write("run/.containerenv", "")
			limited := !strings.HasPrefix(name, "none")
			s, err = m.collector().Static(t.Context())
			if err != nil || s.Container == nil || s.Container.Runtime != "podman" {
				t.Fatalf("container %+v, %v", s.Container, err)
			}
			if !limited {
				if s.Container.CPUs != nil || s.Container.Memory != nil || s.Memory.Physical != 1000<<10 {
					t.Errorf("no limits: %+v, %+v", s.Container, s.Memory)
				}
				return
			}
			if *s.Container.CPUs != 0.5 || *s.Container.Memory != 512<<10 || s.Memory.Physical != 512<<10 {
				t.Errorf("limits: %v CPUs, %v bytes, memory %+v", *s.Container.CPUs, *s.Container.Memory, s.Memory)
			}
			u, err := m.collector().Usage(t.Context())
			if want := (hostmetrics.MemoryUsage{Used: 128 << 10, Free: 384 << 10, Available: 384 << 10, Share: 25}); err != nil || *u.Memory != want {
				t.Errorf("memory %+v, want %+v, %v", u.Memory, want, err)
			}
		})
	}
}

// Names that a process or an interface gives itself are data: they come through whole or cut, and shift nothing.
func TestHostileNames(t *testing.T) {
	m := newMachine(t)
	m.write("etc/passwd", "root:x:0:0::/:/bin/sh\nbad\n:x:1:1::/:\nm\xffu:x:1000:1000::/:/bin/sh\n")
	m.process(10, "a) S 1 (b\n", "sh\x00-c\x00echo a\necho \x1b[31m\x00", 1)
	m.process(11, strings.Repeat("(", 100), strings.Repeat("x", 1<<20), 2)
	m.process(12, "kthread", "", 3)
	m.process(13, "gone", "", 0)
	m.write("proc/13/stat", "13 (gone")
	m.write("proc/14/stat", "")
	m.write("proc/15/stat", "99 (liar) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 10 4096000 100 0 0\n")
	m.write("proc/16/stat", "16 (wide) S -1 1 1 0 -1 0 0 0 0 0 18446744073709551616 NaN 0 0 20 0 1 0 99999999999999999999 Inf -3 0 0\n")
	m.write("proc/16/status", "Uid:\nVmSwap:\t999999999999999999999 kB\n:\n")
	list, err := m.collector().Processes(t.Context(), hostmetrics.ProcessQuery{})
	if err != nil {
		t.Fatal(err)
	}
	byID := make(map[int32]hostmetrics.Process)
	for _, p := range list {
		byID[p.ID] = p
	}
	if len(list) != 4 {
		t.Errorf("%d processes: %+v", len(list), list)
	}
	if p := byID[10]; p.Parent != 1 || p.VMS != 4096000 || !slices.Equal(p.Command, []string{"sh", "-c", "echo a\necho \x1b[31m"}) || p.User != "m\uFFFDu" || p.Swap != 4096 {
		t.Errorf("%+v", p)
	}
	if p := byID[11]; len(p.Command) != 1 || len(p.Command[0]) != 4096 {
		t.Errorf("a command of a megabyte: %d arguments", len(p.Command))
	}
	if p := byID[12]; !slices.Equal(p.Command, []string{"[kthread]"}) {
		t.Errorf("%q", p.Command)
	}
	if p := byID[16]; p.CPU != 0 || p.Swap != 0 || p.Memory != 0 {
		t.Errorf("%+v", p)
	}
}

// However much processes say of themselves, a report of all of them is bounded, and one of those that use most is short.
func TestManyProcesses(t *testing.T) { synctest.Test(t, manyProcesses) }

func manyProcesses(t *testing.T) {
	m := newMachine(t)
	const n = 1000
	arg := strings.Repeat("y", 5000)
	for pid := 1; pid <= n; pid++ {
		m.process(pid, "p", arg, 0)
	}
	c := m.collector()
	list, err := c.Processes(t.Context(), hostmetrics.ProcessQuery{})
	if err != nil || len(list) != n {
		t.Fatalf("%d processes, %v", len(list), err)
	}
	size := 0
	for _, p := range list {
		for _, a := range p.Command {
			size += len(a)
		}
	}
	if size < 1<<20 || size > 2<<20 {
		t.Errorf("%d bytes of commands", size)
	}
	time.Sleep(hostmetrics.MinSpan)
	m.process(500, "p", arg, 2)
	m.process(501, "p", arg, 1)
	if list, err = c.Processes(t.Context(), hostmetrics.ProcessQuery{Top: 2}); err != nil || len(list) != 2 || list[0].ID != 500 || list[1].ID != 501 {
		t.Errorf("top 2: %+v, %v", list, err)
	}
	if n := len(hostmetrics.Top(make([]int, 100_000), 0)); n != hostmetrics.MaxProcesses {
		t.Errorf("%d of 100,000 processes", n)
	}
}

// Sockets are told with who has them, from /proc as well, where netlink cannot be asked.
func TestSocketsOfMachine(t *testing.T) {
	m := newMachine(t)
	m.write("proc/net/tcp", "head\n"+
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 501 1 0\n"+
		"   1: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 502 1 0\n"+
		"   2: 0100007F:1F90 0100007F:C001 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0\n"+
		"   3: nonsense\n   4: 0100007F:1F90 0100007F:C001 0\n   5: XX00007F:1F90 0100007F:C001 01 0 0 0 0 0 1\n")
	m.write("proc/net/udp6", "head\n   0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 503 1 0\n")
	m.write("proc/net/unix", "head\n0000000000000000: 00000002 00000000 00010000 0001 01 504 /run/my socket\n0: 2 0 0 1 1 505 @abstract\n")
	m.process(20, "server", "server\x00", 1)
	m.process(21, "worker", "worker\x00", 1)
	m.socket(20, 3, 501)
	m.socket(21, 3, 501)
	m.socket(21, 4, 502)
	m.socket(20, 5, 503)
	m.socket(20, 6, 504)
	c := m.collector()
	list, err := c.Connections(t.Context(), hostmetrics.ConnectionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	want := []hostmetrics.Connection{
		{FD: 3, PID: 20, Type: "tcp4", Local: "127.0.0.1:8080", Remote: "0.0.0.0", Status: "LISTEN"},
		{FD: 4, PID: 21, Type: "tcp4", Local: "127.0.0.1:8080", Remote: "127.0.0.1:49152", Status: "ESTABLISHED"},
		{Type: "tcp4", Local: "127.0.0.1:8080", Remote: "127.0.0.1:49153", Status: "TIME_WAIT"},
		{FD: 5, PID: 20, Type: "udp6", Local: "::1:53", Remote: "::", Status: "NONE"},
		{FD: 6, PID: 20, Type: "unix", Local: "/run/my socket", Status: "LISTEN"},
		{Type: "unix", Local: "@abstract", Status: "NONE"},
	}
	if !slices.Equal(list, want) {
		t.Errorf("got\n%+v\nwant\n%+v", list, want)
	}
	for kind, n := range map[string]int{"tcp": 3, "tcp6": 0, "udp": 1, "inet4": 3, "unix": 2, "nonsense": 0, "tcp4,unix": 0} {
		if list, err := c.Connections(t.Context(), hostmetrics.ConnectionQuery{Kinds: []string{kind}}); err != nil || len(list) != n {
			t.Errorf("%s: %d connections, %v, want %d", kind, len(list), err, n)
		}
	}
	processes, err := c.Processes(t.Context(), hostmetrics.ProcessQuery{})
	if err != nil || len(processes) != 2 {
		t.Fatalf("%+v, %v", processes, err)
	}
	for _, p := range processes {
		if p.Connections != 2 || !slices.Equal(p.Listen, []uint32{8080}) {
			t.Errorf("%+v", p)
		}
	}
}

// fuzzedFiles are what FuzzFiles writes to.
func fuzzedFiles() []string {
	return []string{
		"proc/stat", "proc/meminfo", "proc/uptime", "proc/loadavg", "proc/net/dev", "proc/diskstats", "proc/cpuinfo", "proc/7/stat", "proc/7/status",
		"proc/7/cmdline", "proc/net/tcp", "proc/net/tcp6", "proc/net/unix", "proc/net/route", "proc/net/ipv6_route", "proc/1/mountinfo", "etc/passwd",
		"etc/resolv.conf", "sys/fs/cgroup/memory.max", "sys/fs/cgroup/cpu.max", "sys/fs/cgroup/cpu.stat", "run/systemd/container",
		"sys/class/hwmon/hwmon0/temp1_input",
	}
}

// A file with anything in it gives an item that is absent, or bounded; never a panic, and never a figure that is none.
func FuzzFiles(f *testing.F) {
	for i, text := range []string{
		"", "\n", "cpu  1 2 3 4 5 6 7 8\n", "cpu -1 NaN 1e9 18446744073709551616\n", "0.5 1 2 3/4 5\n", "NaN Inf -1\n",
		"MemTotal: 1 kB\nMemFree: 99999999999999999999 kB\nMemAvailable: -3 kB\n", "lo: 1 2 3\n:::\n a:b: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
		"8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n", "20 1 8:1 / / rw - ext4 /dev/sda rw\n", "processor : 0\nmodel name : x\ncpu MHz : NaN\ncore id : -5\n", "1 (x) S",
		"nameserver 1.2.3.4\nnameserver x\n", "eth0 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0\n", "root:x:0:0::/:/bin/sh\n", "50000 100000\n",
	} {
		f.Add(uint8(i), text)
	}
	m := newMachine(f)
	m.process(7, "x", "x", 0)
	files := fuzzedFiles()
	c := hostmetrics.New(&hostmetrics.Options{Root: m.root})
	if _, err := c.Processes(f.Context(), hostmetrics.ProcessQuery{}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		m.t = t
		m.write("proc/uptime", "1000.00 900.00\n")
		file := files[int(which)%len(files)]
		m.write(file, text)
		ctx := t.Context()
		u, err := c.Usage(ctx)
		if err != nil || u.CPU != nil && !(*u.CPU >= 0 && *u.CPU <= 100) || u.Memory != nil && !(u.Memory.Share >= 0 && u.Memory.Share <= 100) ||
			u.Load != nil && !(u.Load.One >= 0) {
			t.Errorf("usage %+v, %v", u, err)
		}
		s, err := c.Static(ctx)
		if err != nil || s.Host.Uptime < 0 || len(s.CPU.Cores) != s.CPU.Logical || len(s.NameServers) > 16 {
			t.Errorf("static %+v, %v", s, err)
		}
		for _, core := range s.CPU.Cores {
			if !(core.MHz >= 0 && core.MHz < 1e6) || core.Core < 0 || !utf8.ValidString(core.Model) {
				t.Errorf("core %+v", core)
			}
		}
		for _, ip := range append(s.NameServers, s.Gateway) {
			if _, err := netip.ParseAddr(ip); err != nil && ip != "" {
				t.Errorf("address %q", ip)
			}
		}
		// Without a time that the machine has been up, processes cannot be told of.
		processes, err := c.Processes(ctx, hostmetrics.ProcessQuery{})
		if err != nil && file != "proc/uptime" {
			t.Errorf("processes: %v", err)
		}
		for _, p := range processes {
			if !(p.CPU >= 0) || math.IsInf(p.CPU, 0) || !(p.Memory >= 0 && p.Memory <= 100) || !utf8.ValidString(p.User+strings.Join(p.Command, "")) {
				t.Errorf("process %+v", p)
			}
		}
		temps, err := c.Temperatures(ctx)
		if err != nil || len(temps) > 0 && !(temps[0].Celsius > -100 && temps[0].Celsius < 1000) {
			t.Errorf("temperatures %+v, %v", temps, err)
		}
		connections, err := c.Connections(ctx, hostmetrics.ConnectionQuery{})
		if err != nil {
			t.Error(err)
		}
		for _, n := range connections {
			if !utf8.ValidString(n.Local) || len(n.Local) > 255 {
				t.Errorf("connection %+v", n)
			}
		}
	})
}
