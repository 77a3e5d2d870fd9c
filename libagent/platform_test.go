package libagent_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/shirou/gopsutil/v3/host"
)

// A fleet is sorted by the names of its systems: they are those that agents of the field report.
func TestPlatform(t *testing.T) {
	for _, c := range []struct {
		files         map[string]string
		name, version string
	}{
		{map[string]string{"etc/debian_version": "12.11\n"}, "debian", "12.11"},
		{map[string]string{"etc/debian_version": "12.11\n", "usr/bin/raspi-config": "x"}, "raspbian", "12.11"},
		{map[string]string{"etc/redhat-release": "CentOS Linux release 7.7.1908 (Core)\n"}, "centos", "7.7.1908"},
		{map[string]string{"etc/redhat-release": "Red Hat Enterprise Linux release 9.4 (Plow)\n"}, "redhat", "9.4"},
		{map[string]string{"etc/redhat-release": "Fedora release 41 (Rawhide)\n"}, "fedora", "rawhide"},
		{map[string]string{"etc/neokylin-release": "NeoKylin Linux Advanced Server release V7Update6\n"}, "neokylin", "v7"},
		{map[string]string{"etc/system-release": "Amazon Linux release 2 (Karoo)\n"}, "amazon", "2"},
		// These are left to gopsutil.
		{map[string]string{"etc/debian_version": "trixie/sid\n", "etc/lsb-release": "DISTRIB_ID=Ubuntu\n"}, "", ""},
		{map[string]string{"etc/oracle-release": "Oracle Linux Server release 8.9\n", "etc/redhat-release": "x"}, "", ""},
		{map[string]string{"etc/os-release": "ID=void\n"}, "", ""},
		{map[string]string{"etc/debian_version": ""}, "", ""},
	} {
		root := fstest.MapFS{}
		for name, text := range c.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if name, version := libagent.PlatformOf(root); name != c.name || version != c.version {
			t.Errorf("%v: %q %q, want %q %q", c.files, name, version, c.name, c.version)
		}
	}
	if name, version := libagent.PlatformOf(os.DirFS("/")); name != "" {
		want, _, wantVersion, err := host.PlatformInformation()
		if err != nil || name != want || version != wantVersion {
			t.Errorf("here: %q %q, gopsutil says %q %q, %v", name, version, want, wantVersion, err)
		}
	}
}
