package smart

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// condition is one comparison, left op right.
type condition struct {
	left, op, right string // a side that begins with $ is a variable
}

// parseCondition reads a comparison, whose variables must be known.
func parseCondition(text string, known []string) (*condition, error) {
	at := strings.IndexAny(text, "<>=!")
	if at < 0 {
		return nil, fmt.Errorf("%.200q is no comparison with < > = != <= or >=", text)
	}
	op := text[at : at+1]
	if strings.HasPrefix(text[at+1:], "=") && op != "=" {
		op += "="
	}
	if op == "!" {
		return nil, fmt.Errorf("%.200q is no comparison with < > = != <= or >=", text)
	}
	c := &condition{left: strings.TrimSpace(text[:at]), op: op, right: strings.TrimSpace(text[at+len(op):])}
	for _, side := range []string{c.left, c.right} {
		if strings.ContainsAny(side, "<>=!") {
			return nil, fmt.Errorf("%.200q has more than one comparison", text)
		}
		if name, ok := strings.CutPrefix(side, "$"); ok && !slices.Contains(known, name) {
			return nil, fmt.Errorf("%.100s is no variable that is set here", side)
		}
	}
	return c, nil
}

// holds compares: as numbers when both sides are whole numbers, else as texts. A variable that was not set is empty.
func (c *condition) holds(value func(string) (string, bool)) bool {
	if c == nil {
		return true
	}
	side := func(s string) string {
		if name, ok := strings.CutPrefix(s, "$"); ok {
			s, _ = value(name)
		}
		return s
	}
	left, right := side(c.left), side(c.right)
	order := strings.Compare(left, right)
	l, errL := strconv.ParseInt(left, 10, 64)
	r, errR := strconv.ParseInt(right, 10, 64)
	if errL == nil && errR == nil {
		order = 0
		if l < r {
			order = -1
		} else if l > r {
			order = 1
		}
	}
	switch c.op {
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	case ">=":
		return order >= 0
	case "!=":
		return order != 0
	default:
		return order == 0
	}
}
