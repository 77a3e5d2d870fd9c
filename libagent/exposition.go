package libagent

import (
	"math"
	"strconv"
)

// Kinds of metrics.
const (
	counter = "counter"
	gauge   = "gauge"
	summary = "summary"
)

// exposition is a text in the format of Prometheus, version 0.0.4. Metrics of one name are added one after the other.
type exposition struct {
	text []byte
	last string // name of the last metric
}

// add adds one value with labels, which are names and values in turn. A label without a value is left out.
func (e *exposition) add(name, kind, help string, value float64, labels ...string) {
	if name != e.last {
		e.head(name, kind, help)
	}
	e.line(name, value, labels...)
}

// head begins a metric.
func (e *exposition) head(name, kind, help string) {
	e.text = append(e.text, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
	e.last = name
}

// line adds a value of the metric that was begun.
func (e *exposition) line(name string, value float64, labels ...string) {
	e.text = append(e.text, name...)
	sep := byte('{')
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i+1] == "" {
			continue
		}
		e.text = append(e.text, sep)
		e.text = append(e.text, labels[i]+"=\""...)
		e.text = appendLabel(e.text, labels[i+1])
		e.text = append(e.text, '"')
		sep = ','
	}
	if sep == ',' {
		e.text = append(e.text, '}')
	}
	e.text = append(e.text, ' ')
	if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
		e.text = strconv.AppendInt(e.text, int64(value), 10)
	} else {
		e.text = strconv.AppendFloat(e.text, value, 'g', -1, 64)
	}
	e.text = append(e.text, '\n')
}

// appendLabel writes a label's value so that it cannot end early; what is not UTF-8 is replaced.
func appendLabel(dst []byte, s string) []byte {
	for _, r := range s {
		switch r {
		case '\\':
			dst = append(dst, `\\`...)
		case '"':
			dst = append(dst, `\"`...)
		case '\n':
			dst = append(dst, `\n`...)
		default:
			dst = append(dst, string(r)...)
		}
	}
	return dst
}
