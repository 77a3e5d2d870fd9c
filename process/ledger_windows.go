package process

// killMarked does nothing: job objects end with the program that has made them.
func killMarked(string) error { return nil }
