package hostmetrics

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mount is one file system that is mounted.
type mount struct {
	device  string // major:minor
	root    string // of the file system, what is mounted here
	point   string
	fstype  string
	source  string
	options []string
}

// mounts returns the file systems that hold data, each once: other mounts of it, of a folder of it too, would count its space again.
// A file system that another one covers is not to be reached.
func (c *Collector) mounts(context.Context) ([]mount, error) {
	var f files
	text, err := f.read(c.path("proc/self/mountinfo"))
	if c.root != "/" {
		// A process in a container, that looks at its host, is in the container's own name space.
		if host, e := f.read(c.path("proc/1/mountinfo")); e == nil {
			text, err = host, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return distinct(parseMounts(text)), nil
}

// parseMounts reads mountinfo: id parent major:minor root point options tags… - type source options.
func parseMounts(text []byte) []mount {
	var list []mount
	for line := range bytes.Lines(text) {
		left, right, ok := strings.Cut(string(line), " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 2 {
			continue
		}
		list = append(list, mount{
			device: l[2], root: unescape(l[3]), point: unescape(l[4]), options: strings.Split(l[5], ","),
			fstype: clip(r[0], maxName), source: unescape(r[1]),
		})
	}
	return list
}

// unescape undoes what the kernel writes for blanks and the like: a backslash and three octal digits.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1:i+4]) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func octal(s string) bool {
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7'
}

// distinct chooses the mounts that are reported, sorted by their points.
func distinct(all []mount) []mount {
	var list []mount
	last := make(map[string]int) // the last one mounted on a point covers the others
	for i, m := range all {
		last[m.point] = i
	}
	for i, m := range all {
		if last[m.point] == i && m.holdsData() {
			list = append(list, m)
		}
	}
	// The mount of a whole file system goes before one of a part of it, and a short name before a long one.
	slices.SortStableFunc(list, func(a, b mount) int {
		return cmp.Or(cmp.Compare(len(a.root), len(b.root)), cmp.Compare(len(a.point), len(b.point)), cmp.Compare(a.point, b.point))
	})
	seen := make(map[string]bool)
	list = slices.DeleteFunc(list, func(m mount) bool {
		key := m.device
		if m.fstype == "btrfs" { // each of its subvolumes has a number of its own
			key = m.source
		}
		again := seen[key]
		seen[key] = true
		return again
	})
	slices.SortFunc(list, func(a, b mount) int { return cmp.Compare(a.point, b.point) })
	return list[:min(len(list), maxEntries)]
}

// holdsData tells whether a file system is one whose space somebody watches: on a disk, on another machine, or the root of a
// container. What the kernel makes up has a device without a major number.
func (m mount) holdsData() bool {
	switch strings.TrimPrefix(m.fstype, "fuse.") {
	case "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs", "zfs", "btrfs", "bcachefs", "lustre", "gpfs", "afs",
		"sshfs", "glusterfs", "s3fs", "juicefs", "mfs", "rclone":
		return true
	case "overlay", "tmpfs":
		return m.point == "/"
	case "squashfs", "iso9660", "udf", "erofs": // full by nature
		return false
	}
	return !strings.HasPrefix(m.device, "0:")
}

// space is what a file system says of itself.
type space struct {
	total, used, free      uint64 // bytes; free for those without privileges
	inodes, inodesFree     uint64
	share, inodesUsedShare float64
}

func (c *Collector) space(point string) (space, error) {
	var st unix.Statfs_t
	for {
		err := unix.Statfs(c.path(point), &st)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return space{}, err
		}
	}
	size := uint64(st.Frsize)
	if size == 0 {
		size = uint64(st.Bsize)
	}
	s := space{total: st.Blocks * size, free: st.Bavail * size, inodes: st.Files, inodesFree: min(st.Ffree, st.Files)}
	s.used = (st.Blocks - min(st.Bfree, st.Blocks)) * size
	s.share = share(float64(s.used), float64(s.used)+float64(s.free))
	s.inodesUsedShare = share(float64(s.inodes-s.inodesFree), float64(s.inodes))
	return s, nil
}

// readPartition says how large a file system is.
func (c *Collector) readPartition(m mount) (func(*Static), error) {
	s, err := c.space(m.point)
	if err != nil {
		return nil, err
	}
	p := Partition{Mount: clip(m.point, maxName), FSType: m.fstype, Total: s.total}
	for _, o := range m.options[:min(len(m.options), 64)] {
		p.Options = append(p.Options, clip(o, maxName))
	}
	if s.inodes > 0 {
		p.Inodes = &s.inodes
	}
	return func(st *Static) { st.Partitions = append(st.Partitions, p) }, nil
}

// readPartitionUsage says how full a file system is, and how busy its disk.
func (c *Collector) readPartitionUsage(m mount, io map[string]*IO) (func(*Usage), error) {
	s, err := c.space(m.point)
	if err != nil {
		return nil, err
	}
	p := PartitionUsage{Mount: clip(m.point, maxName), Used: s.used, Free: s.free, Share: s.share, IO: io[m.device]}
	if s.inodes > 0 {
		p.Inodes = &InodeUsage{Used: s.inodes - s.inodesFree, Free: s.inodesFree, Share: s.inodesUsedShare}
	}
	return func(u *Usage) { u.Partitions = append(u.Partitions, p) }, nil
}
