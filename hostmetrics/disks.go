package hostmetrics

import (
	"context"

	"github.com/jaypipes/ghw"
)

// readDisks lists the disks. What has no size is none: a drive without a medium, a loop device that is not in use.
func (c *Collector) readDisks(context.Context) (func(*Static), error) {
	info, err := ghw.Block(ghw.WithChroot(c.root), ghw.WithDisableWarnings(), ghw.WithDisableTools())
	if err != nil {
		return nil, err
	}
	var list []Disk
	for _, d := range info.Disks[:min(len(info.Disks), maxEntries)] {
		if d.SizeBytes == 0 {
			continue
		}
		n := Disk{Name: clip(d.Name, maxName), Total: d.SizeBytes, Type: diskType(d)}
		if d.Model != unknown {
			n.Model = clip(d.Model, maxName)
		}
		for _, p := range d.Partitions[:min(len(d.Partitions), maxEntries)] {
			n.Partitions = append(n.Partitions, clip(p.Name, maxName))
		}
		list = append(list, n)
	}
	return func(s *Static) { s.Disks = list }, nil
}

// unknown is what ghw says when it does not know.
const unknown = "unknown"

func diskType(d *ghw.Disk) string {
	switch d.DriveType {
	case ghw.DriveTypeHDD, ghw.DriveTypeSSD, ghw.DriveTypeFDD, ghw.DriveTypeODD:
		return d.DriveType.String()
	}
	return ""
}
