package libagent

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/jkstack/jkframe/v2/internal/daemon"
	"github.com/jkstack/jkframe/v2/logging"
)

// service is the agent as a service of its host.
func (c Command) service() daemon.Program {
	return daemon.Program{
		Name: c.App.Name(), Description: c.App.Name() + ", a host agent", Kind: "agent", Conf: defaultConfigFile, Reload: true,
		Stdout: c.Stdout, Stderr: c.Stderr, Plan: c.plan,
	}
}

// plan says what the agent needs of its host as a service.
func (c Command) plan(file string) (p daemon.Plan, err error) {
	settings, findings, err := load(c.App, file)
	if err != nil {
		return p, err
	}
	for _, f := range findings {
		p.Warnings = append(p.Warnings, f)
	}
	if token := settings.Basic().Enroll.TokenFile; token != "" {
		p.Files = []string{token}
	}
	p.Folders = foldersOf(settings, file)
	return p, nil
}

// foldersOf returns the folders that an agent with this config file writes in, besides the file's own.
func foldersOf(settings Settings, file string) (all []string) {
	c := settings.Basic()
	add := func(dir string) {
		if dir != "" {
			all = append(all, dir)
		}
	}
	if slices.Contains(c.Log.Target, logging.TargetFile) {
		dir := c.Log.Dir
		if dir == "" {
			dir = logging.DefaultDir
		}
		add(dir)
	}
	if network, addr, err := localAddr(c.HTTP.Listen); err == nil && network == "unix" {
		add(filepath.Dir(addr))
	}
	add(c.Outbox.Dir)
	if s, ok := settings.(Folders); ok {
		for _, dir := range s.Folders() {
			add(dir)
		}
	}
	// Who enrols makes it, with a mode that keeps the key.
	dir := string(c.TLS.folder(file))
	if info, err := os.Stat(locate(dir, file)); err == nil && info.IsDir() {
		add(dir)
	}
	return all
}
