package hostmetrics

import "context"

// Temperature is what one sensor says.
type Temperature struct {
	Name    string
	Celsius float64
}

// Temperatures reads the sensors; there are none on most virtual machines. It fails only when ctx ends.
func (c *Collector) Temperatures(ctx context.Context) ([]Temperature, error) {
	var list []Temperature
	err := collect(ctx, c, &list, []item[[]Temperature]{{name: "temperatures", read: c.readTemperatures}})
	return list, err
}

// plausible tells whether a sensor that says so is connected: its temperature is one of a machine that exists.
func plausible(celsius float64) bool { return celsius > -100 && celsius < 1000 && celsius != 0 }
