package manifest

import (
	"slices"
	"strings"
)

// csvViolations gives what is wrong with the members of a list.
func (it *Item) csvViolations(members []string) []*problem {
	var all []*problem
	seen := make(map[string]bool, len(members))
	for i, m := range members {
		p := it.memberProblem(m, len(all) < maxMemberSuggests)
		if p == nil && seen[m] {
			p = wrong(ruleDefaultMemberDuplicate, "%q is there twice", "%q重复", clip(m))
			p.severity = Warning
		}
		seen[m] = true
		if p != nil {
			p.member = i
			all = append(all, p)
		}
	}
	if p := it.tooLong(int64(len(members)), ""); p != nil {
		all = append(all, p)
	}
	return all
}

// maxMemberSuggests is how many members of a list are told what was probably meant.
const maxMemberSuggests = 20

func (it *Item) memberProblem(m string, suggest bool) *problem {
	switch {
	case it.valid != nil && !it.valid[m] && suggest:
		return notAllowed(ruleDefaultMember, m, it.CSVValid)
	case it.valid != nil && !it.valid[m]:
		return wrong(ruleDefaultMember, "%q is not allowed", "不允许%q", clip(m))
	case m == "":
		return wrong(ruleDefaultUnwritable, "a member is empty", "成员为空")
	case strings.Contains(m, ","):
		return wrong(ruleDefaultUnwritable, "the member %q has a comma, which separates members", "成员%q包含逗号，而逗号用于分隔成员", clip(m))
	}
	return unwritable(m)
}

// notAllowed says that a text is not one of a list, and which was probably meant.
func notAllowed(rule ID, text string, allowed []string) *problem {
	const few = 200 // a suggestion among more costs too much
	if meant := nearest(text, slices.Values(allowed[:min(len(allowed), few)])); meant != "" {
		return wrong(rule, "%q is not allowed; did you mean %q?", "不允许%q，是否应为%q？", clip(text), clip(meant))
	}
	const most = 10
	list := strings.Join(allowed[:min(len(allowed), most)], ", ")
	if len(allowed) > most {
		list += ", …"
	}
	return wrong(rule, "%q is not one of %s", "%q不在%s之中", clip(text), clip(list))
}

// tooLong says that a text has too many characters, or a list too many members.
func (it *Item) tooLong(n int64, text string) *problem {
	switch {
	case it.Len == 0 || n <= it.Len:
		return nil
	case it.Type == TypeCSV:
		return wrong(ruleDefaultLength, "%d members are more than %d", "成员数%d超过上限%d", n, it.Len)
	}
	return wrong(ruleDefaultLength, "%q has %d characters, more than %d", "%q的字符数%d超过上限%d", clip(text), n, it.Len)
}

// relative says that a path is relative where it may not be. When the manifest does not say it is only a warning.
func (it *Item) relative(path string) *problem {
	if isAbsolute(path) || it.AllowRelative != nil && *it.AllowRelative {
		return nil
	}
	if it.AllowRelative != nil {
		return wrong(ruleDefaultPath, "the path %q is relative, which allow_relative: false forbids", "路径%q是相对路径，而allow_relative为false", clip(path))
	}
	p := wrong(ruleDefaultPath, "the path %q is relative; say allow_relative: true if that is meant", "路径%q是相对路径，如需允许请声明allow_relative: true", clip(path))
	p.severity = Warning
	return p
}
