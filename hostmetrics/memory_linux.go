package hostmetrics

import "context"

// meminfo is what the kernel says of its memory, in bytes.
type meminfo struct {
	total, free, available, buffers, cached, reclaimable uint64
	swapTotal, swapFree                                  uint64
	hasAvailable                                         bool
}

func (c *Collector) meminfo() (meminfo, error) {
	var f files
	text, err := f.read(c.path("proc/meminfo"))
	if err != nil {
		return meminfo{}, err
	}
	return parseMeminfo(text), nil
}

func parseMeminfo(text []byte) meminfo {
	var m meminfo
	for name, value := range pairs(text) {
		n := kilobytes(value)
		switch name {
		case "MemTotal":
			m.total = n
		case "MemFree":
			m.free = n
		case "MemAvailable":
			m.available, m.hasAvailable = n, true
		case "Buffers":
			m.buffers = n
		case "Cached":
			m.cached = n
		case "SReclaimable":
			m.reclaimable = n
		case "SwapTotal":
			m.swapTotal = n
		case "SwapFree":
			m.swapFree = n
		}
	}
	if !m.hasAvailable { // before Linux 3.14
		m.available = m.free + m.buffers + m.cached
	}
	m.available = min(m.available, m.total)
	return m
}

// readMemory says how much memory there is.
func (c *Collector) readMemory(context.Context) (func(*Static), error) {
	m, err := c.meminfo()
	if err != nil {
		return nil, err
	}
	r := Memory{m.total, m.swapTotal}
	if limit, ok := c.memoryLimit(); ok {
		r.Physical = min(r.Physical, limit)
	}
	return func(s *Static) { s.Memory = r }, nil
}

// readMemoryUsage says how full the memory is.
func (c *Collector) readMemoryUsage(context.Context) (func(*Usage), error) {
	m, err := c.meminfo()
	if err != nil {
		return nil, err
	}
	var swap *SwapUsage
	if m.swapTotal > 0 {
		swap = &SwapUsage{Used: m.swapTotal - min(m.swapFree, m.swapTotal), Free: m.swapFree}
	}
	used := m.total - min(m.free+m.buffers+m.cached+m.reclaimable, m.total)
	r := &MemoryUsage{Used: used, Free: m.free, Available: m.available, Share: share(float64(used), float64(m.total))}
	if limit, ok := c.memoryLimit(); ok && limit < m.total {
		if used, err := c.memoryInContainer(); err == nil {
			free := limit - min(used, limit)
			r = &MemoryUsage{Used: used, Free: free, Available: min(free, m.available), Share: share(float64(used), float64(limit))}
		}
	}
	return func(u *Usage) { u.Memory, u.Swap = r, swap }, nil
}
