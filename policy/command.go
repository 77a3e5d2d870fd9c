package policy

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Order is a command that somebody wants to run.
type Order struct {
	// Path is the program, absolute, as it would be started, or the bare name of one that PATH does not have. It is empty for a
	// Line.
	Path string
	// Args are its arguments.
	Args []string
	// Line is, in place of these, a command line for a shell.
	Line string
	// User is who shall run it, "" for the agent's own.
	User string
	// Env has the variables that are set for it, as KEY=value.
	Env []string
}

// all is the pattern of everything.
const all = "*"

// Command says why an order is refused, nil when it is not. A refusal wraps [ErrRefused].
//
// A pattern of exec.allow and exec.deny is a command as it would be typed, "systemctl status *": its first word is a program, as a
// path or, without a slash, as the name by which it is found in PATH; the others are its arguments, one by one, and a last one
// that is * takes any number. Without arguments, the pattern takes any. In each word * is any text and ? any character.
func (p *Policy) Command(o Order) error {
	switch e := &p.Exec; {
	case p.bad != nil:
		return p.refuse("%v", p.bad)
	case !e.Enabled:
		return p.refuse("exec.enabled is false")
	case o.User != "" && !anyMatches(e.Users, o.User):
		return p.refuse("exec.users does not have %.100q", o.User)
	}
	if err := p.variables(o.Env); err != nil {
		return err
	}
	if o.Line != "" {
		return p.line(o.Line)
	}
	if i := slices.IndexFunc(p.Exec.Deny, func(pattern string) bool { return denies(pattern, &o) }); i >= 0 {
		return p.refuse("exec.deny has %q", p.Exec.Deny[i])
	}
	if !slices.ContainsFunc(p.Exec.Allow, func(pattern string) bool { return allows(pattern, &o) }) {
		return p.refuse("exec.allow does not have %.200q", strings.Join(append([]string{o.Path}, o.Args...), " "))
	}
	return nil
}

// everything says whether any program may run.
func (p *Policy) everything() bool { return slices.Contains(p.Exec.Allow, all) }

// variables says whether variables may be set.
func (p *Policy) variables(env []string) error {
	if p.everything() && p.Exec.Env == nil {
		return nil
	}
	for _, v := range env {
		if key, _, _ := strings.Cut(v, "="); !anyMatches(p.Exec.Env, key) {
			return p.refuse("exec.env does not have %.100q", key)
		}
	}
	return nil
}

// line says whether a command line may be given to a shell. exec.deny looks at its words, which is better than nothing.
func (p *Policy) line(line string) error {
	switch shell := p.Exec.Shell; {
	case shell != nil && !*shell:
		return p.refuse("exec.shell is false: give the command and its arguments one by one")
	case shell == nil && !p.everything():
		return p.refuse("exec.shell is not true, and exec.allow is a list: give the command and its arguments one by one")
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n;|&<>()`\"'{}", r) })
	for i, word := range words {
		for _, pattern := range p.Exec.Deny {
			want := strings.Fields(pattern)
			if slices.ContainsFunc(namesOf(word), func(name string) bool { return matchName(want[0], name) }) && arguments(want[1:], words[i+1:], true) {
				return p.refuse("exec.deny has %q", pattern)
			}
		}
	}
	return nil
}

// allows says whether a pattern takes an order: a name stands for the program that PATH has under it, and for no other.
func allows(pattern string, o *Order) bool {
	words := strings.Fields(pattern)
	if pattern == all {
		return true
	}
	ok := false
	if strings.ContainsAny(words[0], `/\`) {
		ok = matchName(words[0], o.Path)
	} else if name := filepath.Base(o.Path); matchName(words[0], name) || matchName(words[0], bare(name)) {
		found, err := exec.LookPath(name)
		ok = err == nil && sameName(found, o.Path) || name == o.Path
	}
	return ok && arguments(words[1:], o.Args, false)
}

// denies says whether a pattern takes an order under any name that its program has.
func denies(pattern string, o *Order) bool {
	words := strings.Fields(pattern)
	names := namesOf(o.Path)
	if real, err := filepath.EvalSymlinks(o.Path); err == nil {
		names = append(names, namesOf(real)...)
	}
	return slices.ContainsFunc(names, func(name string) bool { return matchName(words[0], name) }) && arguments(words[1:], o.Args, false)
}

// namesOf is what a program is called: by its path, by its name, and by that without an extension.
func namesOf(path string) []string {
	name := filepath.Base(path)
	return []string{path, name, bare(name)}
}

// arguments says whether the patterns of arguments take these, or, for a part of a line, the first of these.
func arguments(patterns, args []string, part bool) bool {
	if len(patterns) == 0 {
		return true
	}
	for i, pattern := range patterns {
		switch last := i == len(patterns)-1; {
		case last && pattern == all:
			return true
		case i >= len(args) || !match(pattern, args[i]):
			return false
		case last:
			return part || len(args) == len(patterns)
		}
	}
	return false
}

func anyMatches(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return match(pattern, s) })
}

// match says whether a pattern takes the whole of s: * is any text, ? any byte. It takes time in the product of their lengths at
// most.
func match(pattern, s string) bool {
	i, j := 0, 0
	star, from := -1, 0 // the last star, and where what it takes ends
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, from = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
