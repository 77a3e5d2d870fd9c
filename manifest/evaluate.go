package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Violation is one thing that is wrong with values.
type Violation struct {
	Key      string
	Member   int // of a csv, from 0; -1: the whole value
	Rule     ID  // ML501 an unknown key, ML502 a required setting that is missing, ML503 a value that is not valid
	Cause    ID  // for ML503, the rule that a default with this value would break
	Severity Severity
	Message  Text
}

// Violations is what is wrong with values, as an error of Go.
type Violations []Violation

// Error gives one line for each violation.
func (vs Violations) Error() string {
	lines := make([]string, len(vs))
	for i, v := range vs {
		lines[i] = v.Key + ": " + v.Message.EN
	}
	return strings.Join(lines, "\n")
}

// A Field is a setting with its value.
type Field struct {
	Item *Item

	// Active tells that the condition of the setting holds, and those of the settings that it depends on. A setting that is
	// not active has no value that counts: it is neither required nor written.
	Active bool

	Value     Value // Data is nil when there is none, or when it is not valid
	IsDefault bool  // the value is the default because none was given
}

// An Evaluation is what a manifest says to values.
type Evaluation struct {
	Fields     []Field     // of all settings, in the order of the manifest
	Violations []Violation // in the order of Fields, those of unknown keys at the end

	byKey map[string]int
}

// Field finds a setting by its key; nil when there is none.
func (e *Evaluation) Field(key string) *Field {
	if i, ok := e.byKey[key]; ok {
		return &e.Fields[i]
	}
	return nil
}

// Err gives the violations that are errors as an error of type Violations, or nil.
func (e *Evaluation) Err() error {
	errs := slices.DeleteFunc(slices.Clone(e.Violations), func(v Violation) bool { return v.Severity < Error })
	if len(errs) == 0 {
		return nil
	}
	return Violations(errs)
}

// Values gives the values of the active settings by key.
func (e *Evaluation) Values() map[string]any {
	values := make(map[string]any)
	for _, f := range e.Fields {
		if f.Active && f.Value.IsSet() {
			values[f.Item.Key] = f.Value.Data
		}
	}
	return values
}

// Evaluate judges values, which are as encoding/json decodes them: objects may be nested or have dotted keys, numbers may be
// json.Number. A text is read as in a configuration file. Null and what is missing mean the default; an empty text or list
// means no value in its place, which a required setting does not take. Values of settings that are not active are left out.
func (m *Manifest) Evaluate(values map[string]any) *Evaluation {
	given := make(map[string]any)
	m.flatten(given, "", values)
	e := &Evaluation{Fields: make([]Field, len(m.Items)), byKey: make(map[string]int, len(m.Items))}
	problems := make([]*problem, len(m.Items))
	missing := make([]bool, len(m.Items))
	for i, it := range m.Items {
		e.byKey[it.Key] = i
		f := &e.Fields[i]
		f.Item = it
		v := given[it.Key]
		delete(given, it.Key)
		if v == nil {
			f.Value, f.IsDefault = it.Default, it.Default.IsSet()
			missing[i] = it.Required && !f.IsDefault
			continue
		}
		f.Value, problems[i] = it.convert(v)
		if problems[i] == nil && isEmptyValue(f.Value) {
			missing[i] = it.Required
			if !it.Default.IsSet() {
				f.Value = Value{} // there is nothing that it would replace
			}
		}
	}
	e.activate()
	for i := range e.Fields {
		f := &e.Fields[i]
		switch {
		case !f.Active:
			f.Value, f.IsDefault = Value{}, false
		case missing[i]:
			e.Violations = append(e.Violations, Violation{f.Item.Key, -1, ruleConfMissing, "", Error, Text{"a value is required", "必填"}})
		case problems[i] != nil:
			e.violate(f, problems[i])
		case !f.IsDefault && !isEmptyValue(f.Value):
			for _, p := range append(f.Item.violations(f.Value), f.Item.quoted(f.Value)...) {
				e.violate(f, p)
			}
		}
	}
	for i, key := range slices.Sorted(maps.Keys(given)) {
		e.Violations = append(e.Violations, m.undeclared(key, i < maxSuggests))
	}
	return e
}

func (e *Evaluation) violate(f *Field, p *problem) {
	if p.severity == Error {
		f.Value = Value{}
	}
	e.Violations = append(e.Violations, Violation{f.Item.Key, p.member, ruleConfValue, p.rule, p.severity, p.text})
}

func (m *Manifest) undeclared(key string, suggest bool) Violation {
	text := both("the manifest has no setting %s", "manifest中没有配置项%s", clip(key))
	if suggest {
		if meant := nearest(key, maps.Keys(m.byKey)); meant != "" {
			text = both("the manifest has no setting %s; did you mean %s?", "manifest中没有配置项%s，是否应为%s？", clip(key), meant)
		}
	}
	return Violation{key, -1, ruleConfUndeclared, "", Warning, text}
}

// flatten gives nested values dotted keys. An object that the manifest has a setting for is a value, and then a wrong one.
func (m *Manifest) flatten(into map[string]any, prefix string, values map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		key := prefix + name
		if nested, ok := values[name].(map[string]any); ok && m.byKey[key] == nil {
			m.flatten(into, key+".", nested)
			continue
		}
		if _, dotted := into[key]; !dotted || prefix == "" {
			into[key] = values[name]
		}
	}
}

// isEmptyValue reports whether there is no value, an empty text or a list without members.
func isEmptyValue(v Value) bool {
	members, isList := v.Data.([]string)
	return v.Data == nil || v.Text == "" && (!isList || len(members) == 0)
}

// activate decides which settings are active: those whose condition holds and whose target is active. Settings that depend on
// each other in a circle are not.
func (e *Evaluation) activate() {
	const (
		unknown = iota
		asked
		inactive
		active
	)
	state := make([]uint8, len(e.Fields))
	var decide func(i int) bool
	decide = func(i int) bool {
		switch state[i] {
		case active:
			return true
		case inactive, asked:
			return false
		}
		state[i] = asked
		when := e.Fields[i].Item.When
		holds := when == nil
		if !holds {
			target, ok := e.byKey[when.Target]
			holds = ok && decide(target) && when.Holds(e.Fields[target].Value)
		}
		state[i] = inactive
		if holds {
			state[i] = active
		}
		return holds
	}
	for i := range e.Fields {
		e.Fields[i].Active = decide(i)
	}
}

// Holds reports whether a value meets the condition. A bool without a value is false.
func (w *Condition) Holds(v Value) bool {
	if w.Equal != nil {
		on, _ := v.Data.(bool)
		return on == *w.Equal
	}
	members, _ := v.Data.([]string)
	return slices.Contains(members, w.Contain)
}

// String gives the condition as words: basic.log.target contains file.
func (w *Condition) String() string {
	if w.Equal != nil {
		return fmt.Sprintf("%s is %t", w.Target, *w.Equal)
	}
	return fmt.Sprintf("%s contains %s", w.Target, w.Contain)
}
