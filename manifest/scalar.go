package manifest

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// kind is what a value of YAML is.
type kind uint8

const (
	kindNull kind = iota
	kindString
	kindBool
	kindInt
	kindFloat
	kindOdd // infinite, or not a number
	kindList
	kindMap
)

// name is the kind as a person calls it.
func (k kind) name() Text {
	switch k {
	case kindNull:
		return Text{"null", "null"}
	case kindString:
		return Text{"a string", "字符串"}
	case kindBool:
		return Text{"a bool", "布尔值"}
	case kindInt:
		return Text{"an integer", "整数"}
	case kindFloat:
		return Text{"a float", "浮点数"}
	case kindOdd:
		return Text{"not a finite number", "非有限数"}
	case kindList:
		return Text{"a list", "列表"}
	}
	return Text{"a mapping", "映射"}
}

// legacy is what a plain scalar is for a reader of YAML 1.1 and not for one of YAML 1.2, or the other way round.
type legacy uint8

const (
	notLegacy    legacy = iota
	legacyBool          // yes, on
	legacyLetter        // y, n: few readers take it for a bool
	legacyOctal         // 010
	legacyDigits        // 1_000, 0b1, 0X1
	legacyBase60        // 1:30
	legacyDate          // 2006-01-02
)

// why tells what the readers disagree about.
func (l legacy) why() Text {
	switch l {
	case legacyBool, legacyLetter:
		return Text{"a bool in YAML 1.1 and a string in YAML 1.2", "在YAML 1.1中是布尔值，在YAML 1.2中是字符串"}
	case legacyOctal:
		return Text{"octal in YAML 1.1 and decimal in YAML 1.2", "在YAML 1.1中是八进制，在YAML 1.2中是十进制"}
	case legacyDigits:
		return Text{"a number in YAML 1.1 and a string in YAML 1.2", "在YAML 1.1中是数字，在YAML 1.2中是字符串"}
	case legacyBase60:
		return Text{"a number of base 60 in YAML 1.1 and a string in YAML 1.2", "在YAML 1.1中是六十进制数，在YAML 1.2中是字符串"}
	}
	return Text{"a date in YAML 1.1 and a string in YAML 1.2", "在YAML 1.1中是日期，在YAML 1.2中是字符串"}
}

// scalar is a value as it is written, and what it is.
type scalar struct {
	kind   kind
	legacy legacy
	text   string
}

// isLegacyNumber reports whether s is a number for YAML 1.1, and another or none for YAML 1.2.
func (s scalar) isLegacyNumber() bool {
	return s.legacy == legacyOctal || s.legacy == legacyDigits || s.legacy == legacyBase60
}

// scalarOf says what n is, which is no alias.
func scalarOf(n *yaml.Node) scalar {
	switch n.Kind {
	case yaml.SequenceNode:
		return scalar{kind: kindList}
	case yaml.MappingNode:
		return scalar{kind: kindMap}
	}
	s := scalar{kind: kindString, text: n.Value}
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		s.kind = taggedKind(n.ShortTag())
	case n.Style == 0:
		s.kind, s.legacy = plainKind(n.Value)
	}
	return s
}

func taggedKind(tag string) kind {
	switch tag {
	case "!!null":
		return kindNull
	case "!!bool":
		return kindBool
	case "!!int":
		return kindInt
	case "!!float":
		return kindFloat
	}
	return kindString
}

// plainKind says what a text without quotes is: as in the core schema of YAML 1.2, but numbers that only YAML 1.1 has are
// numbers, since yaml.v3 reads them so.
func plainKind(s string) (kind, legacy) {
	if s == "" {
		return kindNull, notLegacy
	}
	switch c := s[0]; {
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		return numberKind(s)
	case c >= 'A' && c <= 'z' || c == '~':
		return wordKind(s)
	}
	return kindString, notLegacy
}

func wordKind(s string) (kind, legacy) {
	switch s {
	case "~", "null", "Null", "NULL":
		return kindNull, notLegacy
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return kindBool, notLegacy
	case "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF":
		return kindString, legacyBool
	case "y", "Y", "n", "N":
		return kindString, legacyLetter
	}
	return kindString, notLegacy
}

func numberKind(s string) (kind, legacy) {
	digits := s
	if s[0] == '-' || s[0] == '+' {
		digits = s[1:]
	}
	switch digits {
	case ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN":
		return kindOdd, notLegacy
	}
	if len(digits) > 2 && digits[0] == '0' {
		switch rest := digits[2:]; digits[1] {
		case 'x':
			return radixKind(rest, "0123456789abcdefABCDEF", notLegacy)
		case 'o':
			return radixKind(rest, "01234567", notLegacy)
		case 'X':
			return radixKind(rest, "0123456789abcdefABCDEF", legacyDigits)
		case 'O':
			return radixKind(rest, "01234567", legacyDigits)
		case 'b', 'B':
			return radixKind(rest, "01", legacyDigits)
		}
	}
	if strings.Contains(digits, "_") {
		if k, _ := decimalKind(strings.ReplaceAll(digits, "_", "")); k != kindString {
			return k, legacyDigits
		}
	}
	if k, l := decimalKind(digits); k != kindString {
		return k, l
	}
	switch {
	case isBase60(digits):
		return kindString, legacyBase60
	case isDate(s):
		return kindString, legacyDate
	}
	return kindString, notLegacy
}

// radixKind is for what stands behind 0x, 0o and 0b.
func radixKind(rest, digits string, l legacy) (kind, legacy) {
	plain := strings.ReplaceAll(rest, "_", "")
	switch {
	case plain == "" || strings.Trim(plain, digits) != "":
		return kindString, notLegacy
	case plain != rest:
		l = legacyDigits
	}
	return kindInt, l
}

// decimalKind is for digits, with a fraction and an exponent or without.
func decimalKind(s string) (kind, legacy) {
	whole := digitsIn(s)
	rest := s[whole:]
	if rest == "" {
		switch {
		case whole == 0:
			return kindString, notLegacy
		case whole > 1 && s[0] == '0':
			return kindInt, legacyOctal
		}
		return kindInt, notLegacy
	}
	fraction := 0
	if rest[0] == '.' {
		fraction = digitsIn(rest[1:])
		rest = rest[1+fraction:]
	}
	if whole+fraction == 0 {
		return kindString, notLegacy
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '-' || rest[0] == '+') {
			rest = rest[1:]
		}
		n := digitsIn(rest)
		if n == 0 {
			return kindString, notLegacy
		}
		rest = rest[n:]
	}
	if rest != "" {
		return kindString, notLegacy
	}
	return kindFloat, notLegacy
}

// digitsIn counts the digits at the start of s.
func digitsIn(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// isBase60 reports whether s is a number of base 60: 190:20:30, 1:30.5.
func isBase60(s string) bool {
	s, fraction, point := strings.Cut(s, ".")
	if point && strings.Trim(fraction, "0123456789_") != "" {
		return false
	}
	parts := strings.Split(s, ":")
	if len(parts) < 2 || digitsIn(parts[0]) != len(parts[0]) || parts[0] == "" || !point && parts[0][0] == '0' {
		return false
	}
	for _, p := range parts[1:] {
		if digitsIn(p) != len(p) || len(p) == 0 || len(p) > 2 || len(p) == 2 && p[0] > '5' {
			return false
		}
	}
	return true
}

// isDate reports whether s starts with a date as YAML 1.1 has them, and what follows can be a time.
func isDate(s string) bool {
	if len(s) < len("2006-1-2") || digitsIn(s) != 4 || s[4] != '-' {
		return false
	}
	month := digitsIn(s[5:])
	rest := s[5+month:]
	if month == 0 || month > 2 || rest == "" || rest[0] != '-' {
		return false
	}
	day := digitsIn(rest[1:])
	rest = rest[1+day:]
	if day == 0 || day > 2 {
		return false
	}
	return rest == "" || strings.ContainsAny(rest[:1], "Tt \t") && strings.Trim(rest[1:], "0123456789:.+-Zz \t") == "" && digitsIn(strings.TrimLeft(rest[1:], " \t")) > 0
}
