package build

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// commit and date are set when a release is built; else what Go has noted counts. They are variables for the linker alone.
var commit, date string

// Info is what a program was built from.
type Info struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"` // "" when it is not known
	Date    string `json:"date"`   // of the commit, RFC 3339
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Of returns what this program was built from. Its name and version are its own to know.
func Of(name, version string) Info {
	b := Info{Name: name, Version: version, Commit: commit, Date: date, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok || commit != "" {
		return b
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit += s.Value
		case s.Key == "vcs.time":
			b.Date = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			b.Commit += "+changes"
		}
	}
	return b
}

// Print prints it for people.
func (b Info) Print(w io.Writer) {
	fmt.Fprintf(w, "%s %s %s %s/%s\n", b.Name, b.Version, b.Go, b.OS, b.Arch)
	if b.Commit != "" {
		fmt.Fprintf(w, "commit %s of %s\n", b.Commit, b.Date)
	}
}
