package manifest

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Options say which rules report, and how severe they are. The zero value is what the table of rules says.
type Options struct {
	// Enable lists rules by id that are off by default. Disable lists rules that do not report; it wins.
	Enable, Disable []ID

	// Severity replaces the severity of every finding of a rule; Off disables the rule, any other one enables it.
	Severity map[ID]Severity
}

// A Result is what was found in a manifest.
type Result struct {
	Findings []Finding // in the order of the text, at most MaxFindings

	// More is how many findings there are beyond those, and MoreWorst their highest severity.
	More      int
	MoreWorst Severity

	// Manifest is what the text says, without what is wrong; nil when it could not be read.
	Manifest *Manifest

	ignores []ignore
}

// Ignores reports whether a comment in the manifest takes out a finding of ParseConf that stands there, of ML502.
func (r *Result) Ignores(f *Finding) bool {
	return slices.ContainsFunc(r.ignores, func(ig ignore) bool { return !f.Conf && ig.covers(f) >= 0 })
}

// Worst gives the highest severity of all findings, Off when there are none.
func (r *Result) Worst() Severity {
	worst := r.MoreWorst
	for i := range r.Findings {
		worst = max(worst, r.Findings[i].Severity)
	}
	return worst
}

// Check reads and checks the text of a manifest; o may be nil.
func Check(data []byte, o *Options) *Result { return Parse(data).Check(o) }

// Load gives the manifest that a text describes. The error is of type Problems: all findings that are errors.
func Load(data []byte) (*Manifest, error) {
	result := Check(data, nil)
	problems := slices.DeleteFunc(result.Findings, func(f Finding) bool { return f.Severity < Error })
	if len(problems) > 0 {
		return nil, Problems(problems)
	}
	return result.Manifest, nil
}

// Check applies all rules but those of configuration files; o may be nil. Comments in the text that say
//
//	# manifest-lint ignore=ML208,ML217
//
// take out findings of these rules: behind a value those of its line, on a line of its own those of the field or the item that
// starts on the next. One that takes out nothing is a finding itself.
func (d *Document) Check(o *Options) *Result {
	if o == nil {
		o = &Options{}
	}
	result := &Result{}
	src := *d.src // with places of its own to remember
	c := &checker{collector: collector{src: &src, found: slices.Clone(d.found)}, options: o}
	if d.root != nil {
		result.Manifest = c.manifest(d.root)
	}
	result.Findings = o.apply(c.found)
	result.More, result.MoreWorst = c.more, c.worstBeyond()
	if d.root != nil && strings.Contains(src.text, ignoreWord) {
		result.ignores = src.ignores(src.scalarSpans(d.root), src.blockBelow)
		result.Findings = c.ignore(o, result.ignores, result.Findings, isConfRule)
	}
	slices.SortStableFunc(result.Findings, comparePlaces)
	// What aliases and merge keys repeat is found as often.
	result.Findings = slices.CompactFunc(result.Findings, func(a, b Finding) bool {
		return a.Rule == b.Rule && a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
	return result
}

// comparePlaces orders findings by their place, those in the manifest before those in a configuration file.
func comparePlaces(a, b Finding) int {
	switch {
	case a.Conf && !b.Conf:
		return 1
	case b.Conf && !a.Conf:
		return -1
	}
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
}

// rulesOff gives the rules that do not report.
func (o *Options) rulesOff() map[ID]bool {
	off := make(map[ID]bool)
	for _, r := range Rules() {
		if r.Off {
			off[r.ID] = true
		}
	}
	for _, id := range o.Enable {
		off[id] = false
	}
	for id, severity := range o.Severity {
		off[id] = severity == Off
	}
	for _, id := range o.Disable {
		off[id] = true
	}
	return off
}

// apply takes out the findings of rules that are off and sets severities.
func (o *Options) apply(found []Finding) []Finding {
	if len(found) == 0 {
		return nil
	}
	off := o.rulesOff()
	kept := found[:0]
	for _, f := range found {
		if off[f.Rule] {
			continue
		}
		if severity, ok := o.Severity[f.Rule]; ok {
			f.Severity = severity
		}
		kept = append(kept, f)
	}
	return kept
}

// checker checks the items of one manifest.
type checker struct {
	collector
	options *Options
	store   []pair // where fewPairs puts what it gives out
	twice   bool   // a field is given twice somewhere
	merges  bool   // there may be merge keys
	items   []*item

	byKey    map[string]*item // the first usable one of each key
	unusable map[string]bool  // keys with findings of their own, and those that stand behind a misspelt field
	suggests int              // that were looked for among all keys
	patterns int              // size of the regular expressions so far
	compiled map[string]*regexp.Regexp
}

// manifest checks all items of the list, then what is between them.
func (c *checker) manifest(root *yaml.Node) *Manifest {
	if len(root.Content) == 0 {
		c.node(ruleEmptyList, root, Text{"the list has no items", "列表中没有配置项"})
	}
	c.merges = strings.Contains(c.src.text, mergeKey)
	c.tree(root)
	c.byKey = make(map[string]*item, len(root.Content))
	c.unusable = make(map[string]bool)
	c.compiled = make(map[string]*regexp.Regexp)
	store, results := make([]item, len(root.Content)), make([]Item, len(root.Content))
	c.items = make([]*item, 0, len(root.Content))
	for i, n := range root.Content {
		it := &store[i]
		it.Item = &results[i]
		if c.item(it, n) {
			c.items = append(c.items, it)
		}
	}
	c.key = ""
	c.prefixes()
	for _, it := range c.items {
		c.key = it.Key
		c.enabled(it)
	}
	c.cycles()
	c.order()
	return c.result()
}

// result gives what the manifest says, without its YAML.
func (c *checker) result() *Manifest {
	m := &Manifest{Items: make([]*Item, 0, len(c.byKey)), byKey: make(map[string]*Item, len(c.byKey))}
	for _, it := range c.items {
		if it.usable {
			m.Items = append(m.Items, it.Item)
			m.byKey[it.Key] = it.Item
		}
	}
	return m
}
