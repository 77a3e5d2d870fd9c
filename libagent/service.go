package libagent

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

// agentService is an agent as a service of its host.
type agentService struct {
	unit.Service
	manager service.Service
}

// newService describes the service of an agent. To start or stop one its name is enough.
func newService(s unit.Service) (*agentService, error) {
	if runtime.GOOS != "windows" && s.Executable != "" {
		if err := s.Check(); err != nil {
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
	m, err := service.New(nil, c)
	if err != nil {
		return nil, fmt.Errorf("service manager: %w", err)
	}
	return &agentService{Service: s, manager: m}, nil
}

// definition returns what install hands to the service manager, where that is a text of ours.
func (s *agentService) definition() string {
	switch service.Platform() {
	case "linux-openrc":
		return unit.OpenRC(s.Service)
	case systemV:
		return unit.SysV(s.Service)
	}
	return unit.Systemd(s.Service)
}

// install makes the service known. A manager that cannot run it as its user is refused, since it would run it as root.
func (s *agentService) install() error {
	switch p := service.Platform(); p {
	case "linux-rcs", "linux-procd":
		if s.User != rootUser {
			return fmt.Errorf("%s runs every service as root: ask for it with --user root", p)
		}
	}
	return s.failed("install", s.manager.Install())
}

// uninstall stops the service and has the manager forget it.
func (s *agentService) uninstall() error {
	if running, err := s.running(); err == nil && running {
		if err := s.control("stop"); err != nil {
			return err
		}
	}
	if err := s.failed("uninstall", s.manager.Uninstall()); err != nil {
		return err
	}
	if service.Platform() != systemV {
		return nil
	}
	// The library makes these links and leaves them.
	links, err := filepath.Glob("/etc/rc[0-6].d/[SK][0-9][0-9]" + s.Name)
	for _, l := range links {
		err = errors.Join(err, os.Remove(l))
	}
	return err
}

// control starts, stops or restarts the service.
func (s *agentService) control(action string) error {
	if _, err := s.running(); errors.Is(err, errNotInstalled) {
		return fmt.Errorf("%s service %s: %w; the command install does that", action, s.Name, err)
	}
	return s.failed(action, service.Control(s.manager, action))
}

// errNotInstalled means that the service manager does not know the agent.
var errNotInstalled = errors.New("not installed as a service")

// running asks the service manager.
func (s *agentService) running() (bool, error) {
	status, err := s.manager.Status()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return false, errNotInstalled
	case errors.As(err, &exit) && service.Platform() == systemV:
		if _, err := os.Stat("/etc/init.d/" + s.Name); errors.Is(err, fs.ErrNotExist) {
			return false, errNotInstalled
		}
		return false, nil
	case err != nil:
		return false, fmt.Errorf("service manager: %w", err)
	}
	return status == service.StatusRunning, nil
}

// failed says what a service manager did not do; it keeps the reason to its own log.
func (s *agentService) failed(action string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) || runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return fmt.Errorf("%s service %s: %w (this needs root)", action, s.Name, err)
	}
	if service.Platform() == "linux-systemd" {
		return fmt.Errorf("%s service %s: %w (see journalctl -u %s)", action, s.Name, err, s.Name)
	}
	return fmt.Errorf("%s service %s: %w", action, s.Name, err)
}
