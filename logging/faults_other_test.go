//go:build !linux

package logging_test

// systemChildren are the programs that only this system has a test for: none.
func systemChildren() map[string]func(dir string) { return nil }
