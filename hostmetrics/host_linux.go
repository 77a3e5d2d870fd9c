package hostmetrics

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/host"
	"golang.org/x/sys/unix"
)

// readHost says how the machine is called, and how long it has been up.
func (c *Collector) readHost(context.Context) (func(*Static), error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	up, err := c.uptime()
	if err != nil {
		return nil, err
	}
	return func(s *Static) { s.Host = Host{clip(name, maxName), up.Truncate(time.Second)} }, nil
}

func (c *Collector) uptime() (time.Duration, error) {
	var f files
	line, err := f.text(c.path("proc/uptime"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(line, " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0, err
	}
	if !(seconds >= 0 && seconds < 1e9) {
		return 0, strconv.ErrRange
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// readOS says which distribution this is. The names are those that agents of the field give.
func (c *Collector) readOS(ctx context.Context) (func(*Static), error) {
	if c.root != "/" {
		ctx = context.WithValue(ctx, common.EnvKey, common.EnvMap{common.HostEtcEnvKey: c.path("etc")})
	}
	name, _, version, err := host.PlatformInformationWithContext(ctx)
	if err != nil {
		return nil, err
	}
	o := OS{Name: "linux", Platform: clip(name, maxName), Version: clip(version, maxName), Installed: c.installed()}
	if up, err := c.uptime(); err == nil {
		o.Started = time.Now().Add(-up).Truncate(time.Second)
	}
	return func(s *Static) { s.OS = o }, nil
}

// installed is when the root file system was made, or, where that does not say, when the machine got its id: zero if that is not
// known either.
func (c *Collector) installed() time.Time {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, c.root, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_BTIME, &st)
	if err == nil && st.Mask&unix.STATX_BTIME != 0 && st.Btime.Sec > 0 {
		return time.Unix(st.Btime.Sec, 0)
	}
	if id, err := os.Stat(c.path("etc/machine-id")); err == nil && id.ModTime().Unix() > 0 {
		return id.ModTime().Truncate(time.Second)
	}
	return time.Time{}
}

// readKernel says which kernel this is.
func (c *Collector) readKernel(context.Context) (func(*Static), error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, err
	}
	k := Kernel{unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:])}
	return func(s *Static) { s.Kernel = k }, nil
}
