package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/jkstack/jkframe/v2/internal/unit"
	"github.com/kardianos/service"
)

// systemV is how the service library calls a host whose services are scripts and links.
const systemV = "unix-systemv"

// manager is the service manager of the host, for one service.
type manager struct {
	unit.Service
	library service.Service
}

// newManager describes a service. To start or stop one its name is enough.
func newManager(s unit.Service) (*manager, error) {
	if runtime.GOOS != "windows" {
		check := func() error { return unit.CheckName(s.Name) }
		if s.Executable != "" {
			check = s.Check
		}
		if err := check(); err != nil {
			return nil, err
		}
	}
	c := &service.Config{
		Name: s.Name, DisplayName: s.Name, Description: s.Description, Executable: s.Executable, Arguments: s.Args,
		UserName: s.User, WorkingDirectory: s.Dir,
		Option: service.KeyValue{
			"SystemdScript": unit.Systemd(s), "OpenRCScript": unit.OpenRC(s), "SysvScript": unit.SysV(s),
			"Restart": "always", "KeepAlive": true, "RunAtLoad": true, // upstart and launchd
			"OnFailure": "restart", "OnFailureDelayDuration": "2s", // Windows
		},
	}
	library, err := service.New(nil, c)
	if err != nil {
		return nil, fmt.Errorf("service manager: %w", err)
	}
	return &manager{Service: s, library: library}, nil
}

// definition returns what install hands to the service manager, where that is a text of ours.
func (m *manager) definition() string {
	switch service.Platform() {
	case "linux-openrc":
		return unit.OpenRC(m.Service)
	case systemV:
		return unit.SysV(m.Service)
	}
	return unit.Systemd(m.Service)
}

// mayInstall returns what is in the way of an installation. A manager that cannot run a service as its user is refused, since it would
// run it as root.
func (m *manager) mayInstall() error {
	switch p := service.Platform(); p {
	case "linux-rcs", "linux-procd":
		if m.User != rootUser {
			return fmt.Errorf("%s runs every service as root: ask for it with --user root", p)
		}
	}
	if unit := m.packaged(); unit != "" {
		return fmt.Errorf("install service %s: a package has installed it already, as %s says", m.Name, unit)
	}
	if _, err := m.running(); err == nil {
		return fmt.Errorf("install service %s: there is one of this name; remove it with the command uninstall, or take another --name", m.Name)
	}
	return nil
}

// install makes the service known.
func (m *manager) install() error { return m.failed("install", m.library.Install()) }

// packaged returns the unit that a package has put on this host, "" if there is none.
func (m *manager) packaged() string {
	if service.Platform() != "linux-systemd" {
		return ""
	}
	for _, dir := range []string{"/usr/lib/systemd/system", "/lib/systemd/system"} {
		file := filepath.Join(dir, m.Name+".service")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

// uninstall stops the service and has the manager forget it.
func (m *manager) uninstall() error {
	if unit := m.packaged(); unit != "" {
		return fmt.Errorf("uninstall service %s: a package has installed it, as %s says: remove the package", m.Name, unit)
	}
	switch running, err := m.running(); {
	case errors.Is(err, ErrNotInstalled):
		return fmt.Errorf("uninstall service %s: %w", m.Name, err)
	case err == nil && running:
		if err := m.control("stop"); err != nil {
			return err
		}
	}
	if err := m.failed("uninstall", m.library.Uninstall()); err != nil {
		return err
	}
	if service.Platform() != systemV {
		return nil
	}
	// The library makes these links and leaves them.
	links, err := filepath.Glob("/etc/rc[0-6].d/[SK][0-9][0-9]" + m.Name)
	for _, l := range links {
		err = errors.Join(err, os.Remove(l))
	}
	return err
}

// control starts, stops or restarts the service.
func (m *manager) control(action string) error {
	if _, err := m.running(); errors.Is(err, ErrNotInstalled) {
		return fmt.Errorf("%s service %s: %w; the command install does that", action, m.Name, err)
	}
	return m.failed(action, service.Control(m.library, action))
}

// running asks the service manager.
func (m *manager) running() (bool, error) {
	status, err := m.library.Status()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		// The library says so too of what systemd is just stopping.
		if _, err := os.Stat("/etc/systemd/system/" + m.Name + ".service"); err == nil && service.Platform() == "linux-systemd" {
			return false, nil
		}
		return false, ErrNotInstalled
	case errors.As(err, &exit) && service.Platform() == systemV:
		if _, err := os.Stat("/etc/init.d/" + m.Name); errors.Is(err, fs.ErrNotExist) {
			return false, ErrNotInstalled
		}
		return false, nil
	case err != nil:
		return false, fmt.Errorf("service manager: %w", err)
	}
	return status == service.StatusRunning, nil
}

// failed says what a service manager did not do; it keeps the reason to its own log.
func (m *manager) failed(action string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) || runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return fmt.Errorf("%s service %s: %w (this needs root)", action, m.Name, err)
	}
	if service.Platform() == "linux-systemd" {
		return fmt.Errorf("%s service %s: %w (see journalctl -u %s)", action, m.Name, err, m.Name)
	}
	return fmt.Errorf("%s service %s: %w", action, m.Name, err)
}
