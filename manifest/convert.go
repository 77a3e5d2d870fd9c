package manifest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// convert reads a value that was given for the setting. An empty text is no value, but for a string, a path and a list.
func (it *Item) convert(v any) (Value, *problem) {
	switch v := v.(type) {
	case string:
		return it.convertText(v)
	case confText:
		return it.convertConf(string(v))
	case bool:
		if it.Type == TypeBool {
			return Value{v, strconv.FormatBool(v)}, nil
		}
	case json.Number:
		return it.convertNumber(v.String())
	case float64:
		return it.convertNumber(strconv.FormatFloat(v, 'f', -1, 64))
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return it.convertNumber(fmt.Sprint(v))
	case []string:
		if it.Type == TypeCSV {
			return csvValue(v), nil
		}
	case []any:
		if it.Type == TypeCSV {
			return it.convertList(v)
		}
	}
	return Value{}, wrong(ruleDefaultType, "the value is %s, not of type %s", "该值是%s，不是%s类型", kindOf(v).name(), it.Type)
}

func (it *Item) convertText(text string) (Value, *problem) {
	switch it.Type {
	case TypeString:
		return Value{text, text}, nil
	case TypeCSV:
		members := splitCSV(strings.TrimSpace(text))
		for i, m := range members {
			members[i] = strings.TrimSpace(m)
		}
		return csvValue(members), nil
	case "":
		return Value{text, text}, nil
	}
	text = strings.TrimSpace(text)
	if text == "" && it.Type != TypePath {
		return Value{}, nil
	}
	return parseText(it.Type, text)
}

// convertConf reads a value of a configuration file: agents stop at an empty one that is to be a number, a size or a duration.
func (it *Item) convertConf(text string) (Value, *problem) {
	if text == "" {
		switch it.Type {
		case TypeInt, TypeUint, TypeFloat, TypeBool, TypeBytes, TypeDuration:
			return Value{}, wrong(ruleDefaultType, "the value is empty; agents cannot read it as %s", "值为空，Agent无法按%s类型读取", it.Type)
		}
	}
	return it.convertText(text)
}

// convertNumber takes a number of JSON; 5.0 and 5e2 are whole numbers there.
func (it *Item) convertNumber(text string) (Value, *problem) {
	switch it.Type {
	case TypeInt, TypeUint:
		const exact = 1 << 53
		if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < exact {
			text = strconv.FormatFloat(f+0, 'f', -1, 64)
		}
		return parseText(it.Type, text)
	case TypeFloat:
		return parseText(it.Type, text)
	}
	return Value{}, wrong(ruleDefaultType, "the value is a number, not of type %s", "该值是数字，不是%s类型", it.Type)
}

func (it *Item) convertList(list []any) (Value, *problem) {
	members := make([]string, len(list))
	for i, v := range list {
		switch v := v.(type) {
		case string:
			members[i] = v
		case bool, json.Number, float64:
			members[i] = fmt.Sprint(v)
		default:
			p := wrong(ruleDefaultType, "a member is %s", "成员是%s", kindOf(v).name())
			p.member = i
			return Value{}, p
		}
	}
	return csvValue(members), nil
}

func kindOf(v any) kind {
	switch v.(type) {
	case nil:
		return kindNull
	case string:
		return kindString
	case bool:
		return kindBool
	case []any, []string:
		return kindList
	case map[string]any:
		return kindMap
	}
	return kindFloat
}

// quoted says that agents read a value that starts with a quote in two ways.
func (it *Item) quoted(v Value) []*problem {
	switch it.Type {
	case TypeString, TypePath, TypeUUID, TypeCSV:
		if v.Text != "" && (v.Text[0] == '"' || v.Text[0] == '\'') {
			return []*problem{wrong(ruleDefaultUnwritable, "a config file cannot hold %q: it starts with a quote, which some agents take off", "配置文件无法表示%q：以引号开头，部分Agent会去掉引号", clip(v.Text))}
		}
	}
	return nil
}
