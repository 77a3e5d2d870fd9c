package libagent

import (
	"bufio"
	"context"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/shirou/gopsutil/v3/host"
)

// platform returns the names by which the fleet knows the host's system, as debian and 12.11. They are those of gopsutil,
// which agents of the field use; but it first runs lsb_release where /etc/lsb-release is missing, for an answer that it makes
// nothing of on the systems that most hosts have. That costs more than the rest of an agent's start.
func platform(ctx context.Context) (name, version string) {
	if _, err := os.Stat("/usr/bin/lsb_release"); err == nil {
		if name, version = platformOf(os.DirFS("/")); name != "" {
			return name, version
		}
	}
	name, _, version, _ = host.PlatformInformationWithContext(ctx)
	return name, version
}

// release is the word after release in a file of a system of Red Hat's kind.
var release = regexp.MustCompile(`release (\w[\d.]*)`)

// platformOf names the system in a file system, if it is one of Debian's or of Red Hat's kind without an lsb-release.
func platformOf(root fs.FS) (name, version string) {
	has := func(file string) bool {
		info, err := fs.Stat(root, file)
		return err == nil && info.Size() > 0
	}
	for _, other := range []string{"lsb-release", "oracle-release", "enterprise-release", "slackware-version"} {
		if has("etc/" + other) {
			return "", ""
		}
	}
	if has("etc/debian_version") {
		if has("usr/bin/raspi-config") {
			return "raspbian", firstLine(root, "etc/debian_version")
		}
		return "debian", firstLine(root, "etc/debian_version")
	}
	for _, file := range []string{"etc/neokylin-release", "etc/redhat-release", "etc/system-release"} {
		if !has(file) {
			continue
		}
		line := strings.ToLower(firstLine(root, file))
		name, _, _ = strings.Cut(line, " ")
		if strings.Contains(line, "red hat") {
			name = "redhat"
		}
		if strings.Contains(line, "rawhide") {
			return name, "rawhide"
		}
		if m := release.FindStringSubmatch(line); m != nil {
			version = m[1]
		}
		return name, version
	}
	return "", ""
}

func firstLine(root fs.FS, file string) string {
	f, err := root.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Scan()
	return s.Text()
}
