package smart

// Holds reads a condition and says whether it holds, for variables that are all known.
func Holds(text string, variables map[string]string) (bool, error) {
	known := make([]string, 0, len(variables))
	for name := range variables {
		known = append(known, name)
	}
	c, err := parseCondition(text, known)
	if err != nil {
		return false, err
	}
	return c.holds(func(name string) (string, bool) { v, ok := variables[name]; return v, ok }), nil
}

// CheckScript says what is wrong with main.yaml, and how many tasks it has.
func CheckScript(text []byte) (tasks int, err error) {
	s, err := parseScript("main.yaml", text)
	if err != nil {
		return 0, err
	}
	return len(s.Tasks), nil
}
