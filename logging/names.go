package logging

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// dateLayout is the date in the name of a file.
const dateLayout = "20060102"

// maxNumber bounds the number in a name, so that it is an int everywhere.
const maxNumber = 999_999_999

// unnumbered is the number of a file that has none: the current one, or the last of its day.
const unnumbered = -1

// naming makes and recognizes the names of a log's files.
type naming struct {
	name  string // base name
	daily bool   // a file a day
}

// part is a file of the log, as its name describes it.
type part struct {
	date   string // when daily: the day as 20060102
	number int    // unnumbered; 0: just rotated, the others have not made room yet; from 1 on: the higher, the older
	gz     bool
}

// current is the part that lines of the time t are written to.
func (n naming) current(t time.Time) part {
	p := part{number: unnumbered}
	if n.daily {
		p.date = t.Format(dateLayout)
	}
	return p
}

func (n naming) format(p part) string {
	var b strings.Builder
	b.WriteString(n.name)
	if n.daily {
		b.WriteString("_" + p.date)
	}
	b.WriteString(".log")
	if p.number != unnumbered {
		b.WriteString("." + strconv.Itoa(p.number))
	}
	if p.gz {
		b.WriteString(".gz")
	}
	return b.String()
}

// parse recognizes exactly what format makes.
func (n naming) parse(file string) (p part, ok bool) {
	rest, ok := strings.CutPrefix(file, n.name)
	if !ok {
		return part{}, false
	}
	if n.daily {
		if len(rest) < 1+len(dateLayout) || rest[0] != '_' || !isDate(rest[1:1+len(dateLayout)]) {
			return part{}, false
		}
		p.date, rest = rest[1:1+len(dateLayout)], rest[1+len(dateLayout):]
	}
	if rest, ok = strings.CutPrefix(rest, ".log"); !ok {
		return part{}, false
	}
	rest, p.gz = strings.CutSuffix(rest, ".gz")
	p.number = unnumbered
	if rest == "" {
		// NAME.log.gz is nothing that a log by size makes: its current file is never compressed.
		return p, n.daily || !p.gz
	}
	number, err := strconv.Atoi(rest[1:])
	if err != nil || number < 0 || number > maxNumber || rest != "."+strconv.Itoa(number) {
		return part{}, false
	}
	p.number = number
	return p, true
}

// older orders parts from the newest to the oldest.
func older(a, b part) int {
	return cmp.Or(-cmp.Compare(a.date, b.date), cmp.Compare(a.number, b.number))
}

// isDate tells whether s is a day of the calendar.
func isDate(s string) bool {
	t, err := time.Parse(dateLayout, s)
	return err == nil && t.Format(dateLayout) == s
}

// dated tells whether the name of a log ends as that of a file by date does.
func dated(name string) bool {
	i := len(name) - 1 - len(dateLayout)
	return i >= 0 && name[i] == '_' && isDate(name[i+1:])
}
