package hostmetrics_test

import (
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/hostmetrics"
	"github.com/jkstack/jkframe/v2/internal/freeport"
	"golang.org/x/sys/unix"
)

// collector is one of this machine, whose warnings the test shows.
func collector(t *testing.T) *hostmetrics.Collector {
	return hostmetrics.New(&hostmetrics.Options{Warn: func(w hostmetrics.Warning) { t.Log("not collected: ", w) }})
}

// proc returns a value of a file of /proc, by the name in front of it.
func proc(t *testing.T, file, name string) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/" + file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + `:?\s+(\d+)`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in /proc/%s", name, file)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// times returns how long the processors have worked and could have, in ticks, as the kernel says.
func times(t *testing.T) (busy, total float64) {
	t.Helper()
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, w := range strings.Fields(line)[1:9] {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil {
			t.Fatal(err)
		}
		total += v
		if i != 3 && i != 4 {
			busy += v
		}
	}
	return busy, total
}

// The figures are the kernel's own.
func TestAgainstKernel(t *testing.T) {
	c := collector(t)
	s, err := c.Static(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name, err := os.Hostname()
	if err != nil || s.Host.Name != name {
		t.Errorf("host %q, want %q, %v", s.Host.Name, name, err)
	}
	if s.Container == nil || s.Container.Memory == nil {
		if want := proc(t, "meminfo", "MemTotal") * 1024; float64(s.Memory.Physical) != want {
			t.Errorf("memory %d, want %v", s.Memory.Physical, want)
		}
	}
	if want := regexp.MustCompile(`(?m)^processor\s*:`).FindAllIndex(mustRead(t, "/proc/cpuinfo"), -1); s.CPU.Logical != len(want) {
		t.Errorf("%d processors, want %d", s.CPU.Logical, len(want))
	}
	if _, err := c.Usage(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(hostmetrics.MinSpan) // the kernel's clock: no test can set it
	busy0, total0 := times(t)
	if _, err := c.Usage(t.Context()); err != nil { // from here
		t.Fatal(err)
	}
	busy1, total1 := times(t)
	time.Sleep(2 * time.Second)
	busy2, total2 := times(t)
	u, err := c.Usage(t.Context())
	if err != nil || u.CPU == nil {
		t.Fatalf("usage %+v, %v", u, err)
	}
	busy3, total3 := times(t)
	if s.Container == nil || s.Container.CPUs == nil {
		// Its looks were between those of the test: the share lies between the least and the most that these allow.
		least, most := (busy2-busy1)/(total3-total0)*100, min((busy3-busy0)/(total2-total1)*100, 100)
		if *u.CPU < least-0.01 || *u.CPU > most+0.01 {
			t.Errorf("CPU %.2f, the kernel counted %.2f to %.2f", *u.CPU, least, most)
		}
	}
	usedOf := func(mount string) float64 {
		t.Helper()
		var st unix.Statfs_t
		if err := unix.Statfs(mount, &st); err != nil {
			t.Errorf("%s: %v", mount, err)
		}
		return float64(st.Blocks-st.Bfree) * float64(st.Frsize)
	}
	before := make(map[string]float64)
	for _, p := range u.Partitions {
		before[p.Mount] = usedOf(p.Mount)
	}
	if u, err = c.Usage(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range u.Partitions {
		if _, ok := before[p.Mount]; !ok {
			continue // it has just been mounted
		}
		// Others write and remove files meanwhile.
		const others = 64 << 20
		least, most := before[p.Mount], usedOf(p.Mount)
		least, most = min(least, most)*0.98-others, max(least, most)*1.02+others
		if used := float64(p.Used); used < least || used > most {
			t.Errorf("%s: %v used, the kernel says %v to %v", p.Mount, used, least, most)
		}
	}
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The test's own process and sockets are there, with the right numbers, from netlink as from /proc.
func TestOwnSockets(t *testing.T) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	client, err := net.Dial("tcp4", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	path := filepath.Join(t.TempDir(), "s")
	sock, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	pid := int32(os.Getpid())
	want := []hostmetrics.Connection{
		{PID: pid, Type: "tcp4", Local: tcp.Addr().String(), Remote: "0.0.0.0", Status: "LISTEN"},
		{PID: pid, Type: "tcp4", Local: client.LocalAddr().String(), Remote: tcp.Addr().String(), Status: "ESTABLISHED"},
		{PID: pid, Type: "udp4", Local: udp.LocalAddr().String(), Remote: "0.0.0.0", Status: "NONE"},
		{PID: pid, Type: "unix", Local: path, Status: "LISTEN"},
	}
	// Another root has the same /proc, and no netlink.
	root := t.TempDir()
	for _, dir := range []string{"proc", "etc"} {
		if err := os.Symlink("/"+dir, filepath.Join(root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]*hostmetrics.Collector{"netlink": collector(t), "proc": hostmetrics.New(&hostmetrics.Options{Root: root})} {
		list, err := c.Connections(t.Context(), hostmetrics.ConnectionQuery{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range list {
			list[i].FD = 0
		}
		for _, w := range want {
			if !slices.Contains(list, w) {
				t.Errorf("%s: no %+v", name, w)
			}
		}
		processes, err := c.Processes(t.Context(), hostmetrics.ProcessQuery{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		i := slices.IndexFunc(processes, func(p hostmetrics.Process) bool { return p.ID == pid })
		if i < 0 {
			t.Fatalf("%s: the test is not among %d processes", name, len(processes))
		}
		p := processes[i]
		port := uint32(tcp.Addr().(*net.TCPAddr).Port)
		if p.Parent != int32(os.Getppid()) || p.Command[0] != os.Args[0] || !slices.Contains(p.Listen, port) || p.Connections < 3 || p.RSS < 1<<20 || p.VMS < p.RSS {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// A process that keeps one processor busy uses about as much of it as it says itself.
func TestOwnCPU(t *testing.T) {
	used := func() float64 {
		t.Helper()
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
	c := collector(t)
	begin0, used0 := time.Now(), used()
	if _, err := c.Processes(t.Context(), hostmetrics.ProcessQuery{Top: 1}); err != nil { // from here
		t.Fatal(err)
	}
	used1, begin1 := used(), time.Now()
	for x := 0.0; time.Since(begin1) < 2*time.Second; { // a processor that works
		x = math.Sqrt(x + 1)
	}
	used2, end2 := used(), time.Now()
	list, err := c.Processes(t.Context(), hostmetrics.ProcessQuery{})
	if err != nil {
		t.Fatal(err)
	}
	used3, end3 := used(), time.Now()
	i := slices.IndexFunc(list, func(p hostmetrics.Process) bool { return p.ID == int32(os.Getpid()) })
	if i < 0 {
		t.Fatalf("the test is not among %d processes", len(list))
	}
	// Its looks were between those of the test: the share lies between the least and the most that these allow, to a few ticks of
	// the kernel's clock.
	least, most := (used2-used1)/float64(end3.Sub(begin0))*100, (used3-used0)/float64(end2.Sub(begin1))*100
	if got := list[i].CPU; got < least-5 || got > most+5 {
		t.Errorf("%.1f %% of a processor, want %.1f to %.1f", got, least, most)
	}
}

// A file system whose server does not answer costs its own line, once, and no goroutine more with each report.
func TestHungMount(t *testing.T) {
	dir := t.TempDir()
	release := deadMount(t, dir)
	var mu sync.Mutex
	warned := make(map[string]error)
	c := hostmetrics.New(&hostmetrics.Options{Warn: func(w hostmetrics.Warning) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(w.Item, dir) {
			warned[w.Item] = w.Err
		}
	}})
	for i := range 3 {
		u, err := c.Usage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Static(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if u.Memory == nil || len(u.Partitions) == 0 || s.Memory.Physical == 0 || len(s.Partitions) != len(u.Partitions) {
			t.Errorf("report %d lacks more than what hangs: %+v", i, u)
		}
		for _, p := range u.Partitions {
			if p.Mount == dir {
				t.Errorf("report %d has what hangs", i)
			}
		}
	}
	mu.Lock()
	if len(warned) != 2 {
		t.Errorf("warned of %v", warned)
	}
	for item, err := range warned {
		if !errors.Is(err, hostmetrics.ErrHangs) {
			t.Errorf("%s: %v, want that it still hangs", item, err)
		}
	}
	mu.Unlock()
	release() // the kernel gives up, and the goroutines end: goleak looks
}

// What prometheus-node-exporter says of this machine in the same second is the same.
func TestAgainstNodeExporter(t *testing.T) {
	exporter, err := exec.LookPath("prometheus-node-exporter")
	if err != nil {
		t.Skip("SKIP: prometheus-node-exporter is not installed")
	}
	addr := freeport.Addr(t)
	cmd := exec.CommandContext(t.Context(), exporter, "--web.listen-address="+addr, "--log.level=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	c := collector(t)
	scrape := func() string {
		t.Helper()
		for {
			resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + addr + "/metrics")
			if err != nil {
				time.Sleep(20 * time.Millisecond) // it is starting
				continue
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
	before := scrape()
	u, err := c.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Static(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := scrape()
	value := func(text, metric, labels string) float64 {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + metric + labels + ` (\S+)$`).FindStringSubmatch(text)
		if m == nil {
			t.Errorf("the exporter has no %s%s", metric, labels)
			return math.NaN()
		}
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	// Ours was read between two of its scrapes, and lies between what they say, or a little beside: a figure may go up and down.
	same := func(ours, slack float64, metric, labels string) {
		t.Helper()
		a, b := value(before, metric, labels), value(after, metric, labels)
		if least, most := min(a, b), max(a, b); !(ours >= least-slack*most && ours <= most+slack*most) {
			t.Errorf("%s%s: %v, the exporter says %v and then %v", metric, labels, ours, a, b)
		}
	}
	if s.Container == nil || s.Container.Memory == nil {
		same(float64(s.Memory.Physical), 0, "node_memory_MemTotal_bytes", "")
		same(float64(u.Memory.Available), 0.1, "node_memory_MemAvailable_bytes", "")
	}
	same(u.Load.Fifteen, 0.1, "node_load15", "")
	same(float64(s.OS.Started.Unix()), 1e-9, "node_boot_time_seconds", "")
	for _, i := range u.Interfaces {
		labels := regexp.QuoteMeta(`{device="` + i.Name + `"}`)
		if !regexp.MustCompile("node_network_transmit_bytes_total" + labels).MatchString(before) {
			continue // the exporter leaves some out
		}
		same(float64(i.BytesSent), 0.001, "node_network_transmit_bytes_total", labels)
		same(float64(i.PacketsRecv), 0.001, "node_network_receive_packets_total", labels)
	}
	for _, p := range u.Partitions {
		labels := `\{[^}]*mountpoint="` + regexp.QuoteMeta(p.Mount) + `"[^}]*\}`
		i := slices.IndexFunc(s.Partitions, func(q hostmetrics.Partition) bool { return q.Mount == p.Mount })
		same(float64(s.Partitions[i].Total), 0, "node_filesystem_size_bytes", labels)
		same(float64(p.Free), 0.05, "node_filesystem_avail_bytes", labels)
		if p.Inodes != nil {
			same(float64(p.Inodes.Free), 0.05, "node_filesystem_files_free", labels)
		}
	}
}
