//go:build !linux

package hostmetrics

import (
	"context"
	"os"
	"time"

	"github.com/shirou/gopsutil/v3/host"
)

// readHost says how the machine is called, and how long it has been up.
func (c *Collector) readHost(ctx context.Context) (func(*Static), error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	up, err := host.UptimeWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return func(s *Static) {
		s.Host = Host{clip(name, maxName), time.Duration(min(up, 1<<33)) * time.Second}
	}, nil
}

// readOS says which system this is.
func (c *Collector) readOS(ctx context.Context) (func(*Static), error) {
	name, _, version, err := host.PlatformInformationWithContext(ctx)
	if err != nil {
		return nil, err
	}
	o := OS{Name: systemName, Platform: clip(name, maxName), Version: clip(version, maxName), Installed: installed()}
	if at, err := host.BootTimeWithContext(ctx); err == nil && at < 1<<40 {
		o.Started = time.Unix(int64(at), 0)
	}
	return func(s *Static) { s.OS = o }, nil
}

// readKernel says which kernel this is.
func (c *Collector) readKernel(ctx context.Context) (func(*Static), error) {
	version, err := host.KernelVersionWithContext(ctx)
	if err != nil {
		return nil, err
	}
	arch, err := host.KernelArch()
	if err != nil {
		return nil, err
	}
	return func(s *Static) { s.Kernel = Kernel{clip(version, maxName), clip(arch, maxName)} }, nil
}

// readContainer says what encloses this process, which is not known here.
func (c *Collector) readContainer(context.Context) (func(*Static), error) { return nil, errAbsent }

// readTemperatures reads the sensors.
func (c *Collector) readTemperatures(ctx context.Context) (func(*[]Temperature), error) {
	all, err := host.SensorsTemperaturesWithContext(ctx)
	if err != nil && len(all) == 0 {
		return nil, errAbsent // most machines have none that can be asked, and say so in many ways
	}
	var list []Temperature
	for _, t := range all[:min(len(all), maxEntries)] {
		if plausible(t.Temperature) {
			list = append(list, Temperature{clip(t.SensorKey, maxName), t.Temperature})
		}
	}
	return func(t *[]Temperature) { *t = list }, nil
}
