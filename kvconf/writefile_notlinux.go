//go:build unix && !linux

package kvconf

// keepExtended is for Linux; the standard library knows extended attributes nowhere else.
func keepExtended(string, string) error { return nil }
