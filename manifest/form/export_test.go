package form

// ECMAPattern gives an expression for browsers.
func ECMAPattern(expr string) (string, error) { return ecmaPattern(expr) }
