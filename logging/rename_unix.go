//go:build unix && !linux

package logging

// renameNew renames a file, unless there is one of the new name.
func renameNew(from, to string) error { return renameChecked(from, to) }
