package hostmetrics

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
)

// readTemperatures reads the sensors that drivers have, and where there are none, the zones of the firmware.
func (c *Collector) readTemperatures(context.Context) (func(*[]Temperature), error) {
	var f files
	list := c.sensors(&f, "sys/class/hwmon/hwmon*/temp*_input", func(file string) string {
		dir := filepath.Dir(file)
		name, _ := f.text(filepath.Join(dir, "name"))
		label, err := f.text(strings.TrimSuffix(file, "input") + "label")
		if err != nil {
			label = strings.TrimSuffix(filepath.Base(file), "_input")
		}
		return strings.ReplaceAll(strings.ToLower(name+"_"+label), " ", "_")
	})
	if len(list) == 0 {
		list = c.sensors(&f, "sys/class/thermal/thermal_zone*/temp", func(file string) string {
			name, _ := f.text(filepath.Join(filepath.Dir(file), "type"))
			return name
		})
	}
	return func(t *[]Temperature) { *t = list }, nil
}

// sensors reads the files that a pattern means: each holds thousandths of a degree. One that is switched off cannot be read.
func (c *Collector) sensors(f *files, pattern string, name func(file string) string) []Temperature {
	names, _ := filepath.Glob(c.path(pattern))
	var list []Temperature
	for _, file := range names[:min(len(names), maxEntries)] {
		text, err := f.text(file)
		if err != nil {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if celsius := v / 1000; err == nil && plausible(celsius) {
			list = append(list, Temperature{name(file), celsius})
		}
	}
	return list
}
