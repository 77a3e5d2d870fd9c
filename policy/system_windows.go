package policy

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// trusted leaves it to the access list of the folder.
func trusted(fs.FileInfo) error { return nil }

// letRead leaves it to the access list of the folder.
func letRead(*os.File) error { return nil }

func stampOf(info fs.FileInfo) stamp {
	return stamp{size: info.Size(), mod: info.ModTime(), mode: info.Mode()}
}

// bare is the name of a program without the extension of one, which commands leave out.
func bare(name string) string {
	ext := filepath.Ext(name)
	if slices.Contains([]string{".exe", ".com", ".bat", ".cmd"}, strings.ToLower(ext)) {
		return strings.TrimSuffix(name, ext)
	}
	return name
}

// matchName says whether a pattern takes the name of a program, which means the same in capitals, and with either slash.
func matchName(pattern, name string) bool { return match(folded(pattern), folded(name)) }

func folded(name string) string { return strings.ToLower(strings.ReplaceAll(name, "/", `\`)) }

func sameName(a, b string) bool { return folded(a) == folded(b) }
