package libagent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/internal/unit"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/spf13/cobra"
)

// withName gives a command the flag for the name of the service.
func (c Command) withName(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "name", c.App.Name(), "name of the service")
}

func (c Command) installCommand() *cobra.Command {
	var file, name, userName string
	var print bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make the agent a service of this host",
		Long: "Make the agent a service of this host, which starts with it and comes back after a crash; start it with the command start.\n" +
			"It runs as a user of its own, which is made when it is missing and gets the config file and the agent's folders; as root\n" +
			"only with --user root. Systemd, Upstart, OpenRC, System V, launchd and Windows are known.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if userName == "" {
				userName = defaultUser(name)
			}
			return failed(c.install(cmd.Context(), file, name, userName, print))
		},
	}
	withConf(cmd, &file)
	c.withName(cmd, &name)
	cmd.Flags().StringVarP(&userName, "user", "u", "", "user that the agent runs as (default one of its own)")
	cmd.Flags().BoolVar(&print, "print", false, "print what would be given to the service manager, and change nothing")
	return cmd
}

// install makes the agent a service. What a service would fail at is refused before.
func (c Command) install(ctx context.Context, file, name, userName string, print bool) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	settings, findings, err := load(c.App, file)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	s, err := newService(unit.Service{
		Name: name, Description: c.App.Name() + ", a host agent", Executable: exe, Args: []string{"run", "--conf", file},
		Dir: homeOf(file), User: userName,
	})
	if err != nil {
		return err
	}
	if print {
		fmt.Fprint(c.Stdout, s.definition())
		return nil
	}
	if runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return errors.New("install needs root: a service belongs to the host")
	}
	for _, f := range findings {
		fmt.Fprintf(c.Stderr, "warning: %v\n", f)
	}
	made, err := ensureAccount(ctx, userName, name)
	if err != nil {
		return err
	}
	if made {
		fmt.Fprintf(c.Stdout, "user %s: made\n", userName)
	}
	err = c.prepare(s, settings, file)
	if err == nil {
		err = s.install()
	}
	if err != nil {
		if made { // nothing stays behind
			_, e := removeAccount(ctx, name)
			err = errors.Join(err, e)
		}
		return err
	}
	fmt.Fprintf(c.Stdout, "service %s: installed, runs as %s; start it with: %s start%s\n", name, userName, c.App.Name(), c.nameFlag(name))
	return nil
}

// prepare sees to it that the service can run as its user, and write what it must.
func (c Command) prepare(s *agentService, settings Settings, file string) error {
	if s.User == rootUser {
		return nil
	}
	a, err := lookupAccount(s.User)
	if err != nil {
		return err
	}
	if err := a.reaches(s.Executable); err != nil {
		return fmt.Errorf("%w: put the agent elsewhere, such as below /opt", err)
	}
	given, err := a.give(file, filesOf(settings, file), foldersOf(settings, file))
	for _, path := range given {
		fmt.Fprintf(c.Stdout, "%s: belongs to %s now\n", path, s.User)
	}
	return err
}

// filesOf returns the files that an agent with this config file reads when it runs, and that only their owner may read.
func filesOf(settings Settings, file string) []string {
	token := settings.Basic().Enroll.TokenFile
	if token == "" {
		return nil
	}
	if !filepath.IsAbs(token) {
		token = filepath.Join(homeOf(file), token)
	}
	return []string{filepath.Clean(token)}
}

// foldersOf returns the folders that an agent with this config file writes in, besides the file's own.
func foldersOf(settings Settings, file string) []string {
	c := settings.Basic()
	var all []string
	add := func(dir string) {
		if dir == "" {
			return
		}
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(homeOf(file), dir)
		}
		all = append(all, filepath.Clean(dir))
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
	if dir := string(c.TLS.folder(file)); isFolder(dir) {
		add(dir)
	}
	return all
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// nameFlag is how a service with a name of its own is spoken of.
func (c Command) nameFlag(name string) string {
	if name == c.App.Name() {
		return ""
	}
	return " --name " + name
}

func (c Command) uninstallCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Stop the service and remove it from this host",
		Long:  "Stop the service and remove it from this host. Config file and logs stay; a user that install has made is removed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := newService(unit.Service{Name: name})
			if err != nil {
				return failed(err)
			}
			if err := s.uninstall(); err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.Stdout, "service %s: removed\n", name)
			removed, err := removeAccount(cmd.Context(), name)
			if removed {
				fmt.Fprintf(c.Stdout, "user %s: removed\n", defaultUser(name))
			}
			return failed(err)
		},
	}
	c.withName(cmd, &name)
	return cmd
}

// controlCommand is start, stop or restart.
func (c Command) controlCommand(action string) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   action,
		Short: strings.ToUpper(action[:1]) + action[1:] + " the service",
		RunE: func(*cobra.Command, []string) error {
			s, err := newService(unit.Service{Name: name})
			if err == nil {
				err = s.control(action)
			}
			return failed(err)
		},
	}
	c.withName(cmd, &name)
	return cmd
}
