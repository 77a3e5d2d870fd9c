package hostmetrics

import (
	"context"
	"strconv"
)

// readCPU lists the processors.
func (c *Collector) readCPU(context.Context) (func(*Static), error) {
	var f files
	text, err := f.read(c.path("proc/cpuinfo"))
	if err != nil {
		return nil, err
	}
	p := parseCPUInfo(text)
	return func(s *Static) { s.CPU = p }, nil
}

// parseCPUInfo reads /proc/cpuinfo. On ARM it names no cores: each processor counts as one then.
func parseCPUInfo(text []byte) CPU {
	var p CPU
	type place struct{ pkg, core int }
	cores := make(map[place]struct{})
	model := ""
	var at *Core
	for name, value := range pairs(text) {
		if name == "processor" {
			n, err := strconv.Atoi(value)
			if err != nil || len(p.Cores) >= 8192 {
				at = nil
				continue
			}
			p.Cores = append(p.Cores, Core{Processor: n, Core: n, Model: model})
			at = &p.Cores[len(p.Cores)-1]
			continue
		}
		number := func(into *int) {
			if n, err := strconv.Atoi(value); err == nil && n >= 0 && n < 1<<20 && at != nil {
				*into = n
			}
		}
		switch name {
		case "model name", "Processor", "cpu model":
			model = clip(value, maxName)
			if at != nil {
				at.Model = model
			}
		case "physical id":
			number(&at.or().Package)
		case "core id":
			number(&at.or().Core)
		case "cpu cores":
			number(&at.or().Cores)
		case "cpu MHz":
			if mhz, err := strconv.ParseFloat(value, 64); err == nil && mhz > 0 && mhz < 1e6 {
				at.or().MHz = mhz
			}
		}
	}
	for _, c := range p.Cores {
		cores[place{c.Package, c.Core}] = struct{}{}
	}
	p.Logical, p.Physical = len(p.Cores), len(cores)
	return p
}

// or returns a core to write to, before the first one is named.
func (c *Core) or() *Core {
	if c == nil {
		return &Core{}
	}
	return c
}
