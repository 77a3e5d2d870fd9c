package policy

import "io/fs"

// trusted leaves it to the access list of the folder.
func trusted(fs.FileInfo) error { return nil }

func stampOf(info fs.FileInfo) stamp {
	return stamp{size: info.Size(), mod: info.ModTime(), mode: info.Mode()}
}
