package limit_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

func TestHierarchies(t *testing.T) {
	v1Mounts := `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
`
	v1Groups := "4:memory:/system.slice/a.service\n3:cpu,cpuacct:/system.slice/a.service\n2:freezer:/\n1:name=systemd:/system.slice/a.service\n"
	for _, test := range []struct {
		name, mounts, groups string
		want                 []limit.Tree
	}{
		{
			"version 1", v1Mounts, v1Groups,
			[]limit.Tree{
				{1, "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/system.slice/a.service", false},
				{1, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/system.slice/a.service", false},
				{1, "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd/system.slice/a.service", false},
			},
		},
		{
			"version 2", "24 23 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", "0::/system.slice/a.service\n",
			[]limit.Tree{{2, "/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/a.service", false}},
		},
		{
			"both", v1Mounts + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", v1Groups + "0::/user.slice\n",
			[]limit.Tree{
				{1, "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/system.slice/a.service", false},
				{1, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/system.slice/a.service", false},
				{1, "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd/system.slice/a.service", false},
				{2, "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/user.slice", false},
			},
		},
		{
			"container that sees its own part, read-only", "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n",
			"4:memory:/docker/abc/inner\n", []limit.Tree{{1, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/inner", true}},
		},
		{
			"container at the top of its part", "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"4:memory:/docker/abc\n", []limit.Tree{{1, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory", false}},
		},
		{
			"mount that shows another container", "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/docker/abcdef\n", nil,
		},
		{"outside of the namespace", "24 23 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/../other\n", nil},
		{
			"writable mounts first", "24 23 0:22 / /ro ro - cgroup2 cgroup2 rw\n25 23 0:22 / /super rw - cgroup2 cgroup2 ro\n26 23 0:22 / /rw rw - cgroup2 cgroup2 rw\n", "0::/\n",
			[]limit.Tree{{2, "/rw", "/rw", false}, {2, "/ro", "/ro", true}, {2, "/super", "/super", true}},
		},
		{
			"odd characters", `24 23 0:22 / /mnt/a\040b\134040 rw - cgroup2 none rw` + "\n", "0::/x:y\n",
			[]limit.Tree{{2, `/mnt/a b\040`, `/mnt/a b\040/x:y`, false}},
		},
		{"nothing mounted", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "0::/\n", nil},
		{"lines that are none", "- cgroup2\n\nx - cgroup2 y z\n", "0::/\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := limit.ParseHierarchies(strings.NewReader(test.mounts), strings.NewReader(test.groups))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func FuzzHierarchies(f *testing.F) {
	for _, file := range []string{"/proc/self/mountinfo", "/proc/1/mountinfo"} {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(string(b), "0::/a\n")
		}
	}
	f.Add("24 23 0:22 /a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/a/b\n")
	f.Add("24 23 0:22 /a /x\\040y rw - cgroup c rw,cpu\n", "3:cpu:/a/../b\n")
	f.Fuzz(func(t *testing.T, mounts, groups string) {
		trees, err := limit.ParseHierarchies(strings.NewReader(mounts), strings.NewReader(groups))
		if err != nil {
			return
		}
		for _, tree := range trees {
			// What is found must be below its mount: this package makes and removes directories there.
			if tree.Own != tree.Mount && !strings.HasPrefix(tree.Own, strings.TrimSuffix(tree.Mount, "/")+"/") {
				t.Errorf("%q is outside of %q", tree.Own, tree.Mount)
			}
		}
	})
}

func TestParseProcess(t *testing.T) {
	const rest = "S 7 8 9 34816 900 4194304 1 2 3 4 100 20 3 4 20 0 1 0 5555 6 7"
	for _, name := range []string{"sh", "a b", ") S 1 (", "", "((", "x) Z 1 1 1"} {
		got, err := limit.ParseProcess("42 (" + name + ") " + rest)
		want := limit.Process{PID: 42, Parent: 7, Group: 8, Session: 9, Ticks: 127, Start: 5555}
		if err != nil || got != want {
			t.Errorf("named %q: %+v, %v; want %+v", name, got, err, want)
		}
	}
	if p, err := limit.ParseProcess("42 (x) Z" + rest[1:]); err != nil || !p.Zombie {
		t.Errorf("a zombie is %+v, %v", p, err)
	}
	for _, line := range []string{"", "42", "42 (x", "42 (x)", "42 (x) S 1 2 3", "x (x) " + rest, "42 (x) S a" + rest[3:]} {
		if p, err := limit.ParseProcess(line); err == nil {
			t.Errorf("%q was taken for %+v", line, p)
		}
	}
	self, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := limit.ParseProcess(string(self)); err != nil || p.PID != os.Getpid() || p.Parent != os.Getppid() || p.Start == 0 {
		t.Errorf("this process is %+v, %v", p, err)
	}
}

func FuzzParseProcess(f *testing.F) {
	f.Add("sh", 1, 2, 3, uint64(4))
	f.Add(") R 9 (", 1, 2, 3, uint64(4))
	f.Fuzz(func(t *testing.T, name string, parent, group, session int, start uint64) {
		line := fmt.Sprintf("42 (%s) R %d %d %d 0 0 0 0 0 0 0 1 2 3 4 0 0 0 0 %d 0", name, parent, group, session, start)
		got, err := limit.ParseProcess(line)
		want := limit.Process{PID: 42, Parent: parent, Group: group, Session: session, Ticks: 10, Start: start}
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v", line, got, err)
		}
		limit.ParseProcess(name)
	})
}
