package release

import (
	"fmt"
	"slices"
	"strings"
)

// Target is a system that programs are built for.
type Target struct {
	OS   string // linux or windows
	Arch string // as Go names it; arm is ARMv6 with hardware floating point
}

// Targets returns every target of a release, in the order of its archives' names.
func Targets() []Target {
	return []Target{
		{"linux", "386"},
		{"linux", "amd64"},
		{"linux", "arm"},
		{"linux", "arm64"},
		{"windows", "386"},
		{"windows", "amd64"},
		{"windows", "arm64"},
	}
}

// ParseTargets reads a list such as "linux/amd64,windows/386". The empty list means every target.
func ParseTargets(list string) ([]Target, error) {
	known := Targets()
	if list == "" {
		return known, nil
	}
	var chosen []Target
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(known, func(t Target) bool { return t.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("target %q: want one of %v", name, known)
		}
		if slices.Contains(chosen, known[i]) {
			return nil, fmt.Errorf("target %q: given twice", name)
		}
		chosen = append(chosen, known[i])
	}
	return chosen, nil
}

// String returns os/arch, as the go command writes it.
func (t Target) String() string { return t.OS + "/" + t.Arch }

// env is what the go command builds with. The levels of the instruction sets are Go's lowest (for arm: the lowest with a
// floating point unit), because one archive has to run on every host of its kind, and because the environment of whoever
// packs must not change what is packed.
func (t Target) env() []string {
	return []string{
		"CGO_ENABLED=0", "GOOS=" + t.OS, "GOARCH=" + t.Arch,
		"GO386=sse2", "GOAMD64=v1", "GOARM=6", "GOARM64=v8.0",
		"GOFLAGS=", "GOEXPERIMENT=",
	}
}

// exe is the ending of a program's file name.
func (t Target) exe() string {
	if t.OS == "windows" {
		return ".exe"
	}
	return ""
}

// archiveName names the archive of a program. An arm archive says which ARM it wants.
func (t Target) archiveName(program, version string) string {
	arch, ending := t.Arch, ".tar.gz"
	if arch == "arm" {
		arch = "armv6"
	}
	if t.OS == "windows" {
		ending = ".zip"
	}
	return fmt.Sprintf("%s_%s_%s_%s%s", program, version, t.OS, arch, ending)
}
