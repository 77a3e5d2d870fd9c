package hostmetrics

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// readLoad says how many tasks ran or waited, on average.
func (c *Collector) readLoad(context.Context) (func(*Usage), error) {
	var f files
	line, err := f.text(c.path("proc/loadavg"))
	if err != nil {
		return nil, err
	}
	words := strings.Fields(line)
	if len(words) < 3 {
		return nil, fmt.Errorf("%q is no load", line)
	}
	var l Load
	for i, into := range [...]*float64{&l.One, &l.Five, &l.Fifteen} {
		v, err := strconv.ParseFloat(words[i], 64)
		if err != nil || math.IsNaN(v) || v < 0 || v > 1e9 {
			return nil, fmt.Errorf("%q is no load", words[i])
		}
		*into = v
	}
	return func(u *Usage) { u.Load = &l }, nil
}
