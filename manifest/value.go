package manifest

import (
	"cmp"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// A problem is what is wrong with a value.
type problem struct {
	rule     ID // that which a default with this value would break
	severity Severity
	member   int // of a csv, from 0; -1: the whole value
	text     Text
	fix      string // a text that means what was probably meant, or empty
}

func wrong(rule ID, en, zh string, args ...any) *problem {
	return &problem{rule: rule, severity: Error, member: -1, text: both(en, zh, args...)}
}

// parseText reads the text of a value as a configuration file has it. What the item allows is not looked at.
func parseText(t Type, text string) (Value, *problem) {
	switch t {
	case TypeCSV:
		return csvValue(splitCSV(text)), nil
	case TypeInt:
		n, err := strconv.ParseInt(text, 10, 64)
		return Value{n, strconv.FormatInt(n, 10)}, numberProblem(err, t, text)
	case TypeUint:
		n, err := strconv.ParseUint(text, 10, 64)
		return Value{n, strconv.FormatUint(n, 10)}, numberProblem(err, t, text)
	case TypeFloat:
		f, err := strconv.ParseFloat(text, 64)
		if err == nil && (math.IsInf(f, 0) || math.IsNaN(f)) {
			err = strconv.ErrSyntax
		}
		return Value{f, text}, numberProblem(err, t, text)
	case TypeBool:
		b, err := strconv.ParseBool(text)
		return Value{b, strconv.FormatBool(b)}, numberProblem(err, t, text)
	case TypeBytes:
		n, p := parseBytes(text)
		return Value{n, text}, p
	case TypeDuration:
		d, p := parseDuration(text)
		return Value{d, text}, p
	case TypeAddress:
		return Value{text, text}, checkAddress(text)
	}
	return Value{text, text}, nil
}

func csvValue(members []string) Value { return Value{members, strings.Join(members, ",")} }

// splitCSV gives the members of a list as agents read it; an empty text has none.
func splitCSV(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, ",")
}

// numberProblem turns an error of strconv into what is said of a default.
func numberProblem(err error, t Type, text string) *problem {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, strconv.ErrRange):
		return wrong(ruleDefaultOverflow, "%s does not fit 64 bits", "%s超出64位范围", clip(text))
	case t == TypeUint && strings.HasPrefix(text, "-") && digitsIn(text[1:]) == len(text)-1 && len(text) > 1:
		return wrong(ruleDefaultOverflow, "%s is negative, a uint is not", "%s为负数，uint不允许负数", clip(text))
	}
	return wrong(ruleDefaultType, "%q is not of type %s", "%q不是%s类型", clip(text), t)
}

// parseBytes reads a size in bytes: what go-humanize reads, counted exactly.
func parseBytes(text string) (uint64, *problem) {
	n, err := kvconf.ParseSize(text)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, kvconf.ErrRange) && !strings.HasPrefix(text, "-") {
		return 0, wrong(ruleDefaultOverflow, "%q is more bytes than fit 64 bits", "%q超出64位范围", clip(text))
	}
	if n, err := humanize.ParseBytes(text); err == nil {
		return n, nil // commas in other places
	}
	return 0, wrong(ruleDefaultBytes, "%q is not a size such as 10M or 10MiB", "%q不是合法的字节数，例如10M或10MiB", clip(text))
}

// parseDuration reads a duration of Go that is not negative.
func parseDuration(text string) (time.Duration, *problem) {
	d, err := time.ParseDuration(text)
	if err == nil && d >= 0 {
		return d, nil
	}
	p := wrong(ruleDefaultDuration, "%q is not a duration such as 30s or 1h30m", "%q不是合法的时长，例如30s或1h30m", clip(text))
	if err == nil {
		p.text = both("the duration %s is negative", "时长%s为负数", clip(text))
		return 0, p
	}
	if isLongDuration(text) {
		return 0, wrong(ruleDefaultOverflow, "the duration %s does not fit 64 bits", "时长%s超出64位范围", clip(text))
	}
	if p.fix = suggestDuration(text); p.fix != "" {
		p.text = both("%q is not a duration; write %s", "%q不是合法的时长，请写作%s", clip(text), p.fix)
	}
	return 0, p
}

// isLongDuration reports whether text is written as a duration is, and so is too long.
func isLongDuration(text string) bool {
	text = strings.TrimLeft(text, "+")
	for text != "" {
		n := len(text) - len(strings.TrimLeft(text, "0123456789."))
		if n == 0 {
			return false
		}
		if _, err := strconv.ParseFloat(text[:n], 64); err != nil && !errors.Is(err, strconv.ErrRange) {
			return false
		}
		text = text[n:]
		unit := len(text) - len(strings.TrimLeft(text, "nuµμmsh"))
		if _, err := time.ParseDuration("1" + text[:unit]); err != nil {
			return false
		}
		text = text[unit:]
	}
	return true
}

// suggestDuration gives the duration that was probably meant: days and weeks in hours, blanks left out, small letters, seconds
// where the unit is missing.
func suggestDuration(text string) string {
	s := strings.ToLower(strings.Join(strings.Fields(text), ""))
	if digitsIn(s) == len(s) && s != "" {
		s += "s"
	}
	if i := strings.IndexAny(s, "dw"); i > 0 {
		hours := int64(24)
		if s[i] == 'w' {
			hours *= 7
		}
		if n, err := strconv.ParseInt(s[:i], 10, 32); err == nil {
			s = strconv.FormatInt(n*hours, 10) + "h" + s[i+1:]
		}
	}
	if d, err := time.ParseDuration(s); err != nil || d < 0 || s == text {
		return ""
	}
	return s
}

// compareValues orders two values of one type that has an order.
func compareValues(a, b Value) int {
	switch x := a.Data.(type) {
	case int64:
		return cmp.Compare(x, b.Data.(int64))
	case uint64:
		return cmp.Compare(x, b.Data.(uint64))
	case float64:
		return cmp.Compare(x, b.Data.(float64))
	case time.Duration:
		return cmp.Compare(x, b.Data.(time.Duration))
	}
	return 0
}

// isAbsolute reports whether a path does not depend on where the agent runs, or may not: an environment variable decides.
func isAbsolute(path string) bool {
	switch {
	case strings.HasPrefix(path, "/"), strings.HasPrefix(path, `\\`):
		return true
	case len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/'):
		return path[0]|0x20 >= 'a' && path[0]|0x20 <= 'z'
	}
	return isVariable(path) || len(path) > 2 && path[0] == '%' && strings.Contains(path[1:], "%")
}

// isVariable reports whether text starts with $NAME or ${NAME}.
func isVariable(text string) bool {
	rest, ok := strings.CutPrefix(text, "$")
	rest = strings.TrimPrefix(rest, "{")
	return ok && rest != "" && (rest[0] == '_' || rest[0]|0x20 >= 'a' && rest[0]|0x20 <= 'z')
}

// unwritable says why a configuration file cannot hold text as it is; nil when it can.
func unwritable(text string) *problem {
	switch {
	case strings.Contains(text, "#"):
		return wrong(ruleDefaultUnwritable, "a config file cannot hold %q: agents cut a value off at the #", "配置文件无法表示%q：值会在#处被截断", clip(text))
	case strings.IndexFunc(text, unicode.IsControl) >= 0:
		return wrong(ruleDefaultUnwritable, "a config file cannot hold %q: it has a line break or a control character", "配置文件无法表示%q：包含换行或控制字符", clip(text))
	case strings.TrimSpace(text) != text:
		return wrong(ruleDefaultUnwritable, "a config file cannot hold %q: blanks at its edges are cut off", "配置文件无法表示%q：首尾空白会被去除", clip(text))
	}
	return nil
}

// clip cuts a long text for a message.
func clip(text string) string {
	const most = 60 // characters
	if len(text) <= most {
		return text
	}
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
