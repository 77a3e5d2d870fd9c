package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/jkstack/jkframe/v2/internal/unit"
	"github.com/spf13/cobra"
)

// Program is a program that can be a service of its host: "PROGRAM run --conf FILE" runs it until it is told to stop.
type Program struct {
	Name           string // of the program, and by default of its service
	Description    string // one line
	Kind           string // what a person calls it: agent, server
	Conf           string // config file if no other is named
	Reload         bool   // it reads its config file again when it gets SIGHUP
	Stdout, Stderr io.Writer

	// Plan says what a service with this config file needs. A config that cannot work is an error.
	Plan func(conf string) (Plan, error)
}

// Plan is what a service needs of its host. Relative paths are taken from the program's [Home].
type Plan struct {
	Folders  []string // that it writes in, besides that of its config file
	Files    []string // that it reads, and that only their owner may read
	Warnings []error  // what is wrong with the config and keeps it from nothing
}

// Commands returns install, uninstall, start, stop and restart.
func (p Program) Commands() []*cobra.Command {
	all := []*cobra.Command{p.installCommand(), p.uninstallCommand()}
	for _, action := range []string{"start", "stop", "restart"} {
		all = append(all, p.controlCommand(action))
	}
	return all
}

// WithName gives a command the flag for the name of the service.
func (p Program) WithName(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "name", p.Name, "name of the service")
}

func (p Program) installCommand() *cobra.Command {
	var file, name, userName string
	var print bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make the " + p.Kind + " a service of this host",
		Long: "Make the " + p.Kind + " a service of this host, which starts with it and comes back after a crash; start it with the command start.\n" +
			"It runs as a user of its own, which is made when it is missing and gets the config file and the " + p.Kind + "'s folders; as root\n" +
			"only with --user root. Systemd, Upstart, OpenRC, System V, launchd and Windows are known.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if userName == "" {
				userName = defaultUser(name)
			}
			return p.install(cmd.Context(), file, name, userName, print)
		},
	}
	cmd.Flags().StringVarP(&file, "conf", "c", p.Conf, "config file")
	p.WithName(cmd, &name)
	cmd.Flags().StringVarP(&userName, "user", "u", "", "user that the "+p.Kind+" runs as (default one of its own)")
	cmd.Flags().BoolVar(&print, "print", false, "print what would be given to the service manager, and change nothing")
	return cmd
}

// install makes the program a service. What a service would fail at is refused before.
func (p Program) install(ctx context.Context, file, name, userName string, print bool) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	plan, err := p.Plan(file)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	m, err := newManager(unit.Service{
		Name: name, Description: p.Description, Executable: exe, Args: []string{"run", "--conf", file},
		Dir: Home(file), User: userName, Reload: p.Reload,
	})
	if err != nil {
		return err
	}
	if print {
		fmt.Fprint(p.Stdout, m.definition())
		return nil
	}
	if runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return errors.New("install needs root: a service belongs to the host")
	}
	if err := m.mayInstall(); err != nil {
		return err
	}
	for _, w := range plan.Warnings {
		fmt.Fprintf(p.Stderr, "warning: %v\n", w)
	}
	made, err := ensureAccount(ctx, userName, name, m.Dir)
	if err != nil {
		return err
	}
	if made {
		fmt.Fprintf(p.Stdout, "user %s: made\n", userName)
	}
	err = p.prepare(m, plan, file)
	if err == nil {
		err = m.install()
	}
	if err != nil {
		if made { // nothing stays behind
			_, e := removeAccount(ctx, name)
			err = errors.Join(err, e)
		}
		return err
	}
	fmt.Fprintf(p.Stdout, "service %s: installed, runs as %s; start it with: %s start%s\n", name, userName, p.Name, p.nameFlag(name))
	return nil
}

// prepare sees to it that the service can run as its user, and write what it must.
func (p Program) prepare(m *manager, plan Plan, file string) error {
	if m.User == rootUser {
		return nil
	}
	a, err := lookupAccount(m.User)
	if err != nil {
		return err
	}
	if err := a.reaches(m.Executable); err != nil {
		return fmt.Errorf("%w: put the %s elsewhere, such as below /opt", err, p.Kind)
	}
	given, err := a.give(file, plan.within(Home(file)))
	for _, path := range given {
		fmt.Fprintf(p.Stdout, "%s: belongs to %s now\n", path, m.User)
	}
	return err
}

// within makes the paths of a plan absolute.
func (p Plan) within(home string) Plan {
	whole := func(paths []string) []string {
		all := make([]string, len(paths))
		for i, path := range paths {
			if all[i] = filepath.Clean(path); !filepath.IsAbs(path) {
				all[i] = filepath.Join(home, path)
			}
		}
		return all
	}
	return Plan{Folders: whole(p.Folders), Files: whole(p.Files)}
}

// nameFlag is how a service with a name of its own is spoken of.
func (p Program) nameFlag(name string) string {
	if name == p.Name {
		return ""
	}
	return " --name " + name
}

func (p Program) uninstallCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Stop the service and remove it from this host",
		Long: fmt.Sprintf("Stop the service and remove it from this host. What the %s has written and its config file stay; a user that install has made is\n"+
			"removed, and root has what was his in the folder of the %[1]s. The exit status is %d when there is no such service.", p.Kind, ExitNotInstalled),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := newManager(unit.Service{Name: name})
			if err != nil {
				return err
			}
			if err := m.uninstall(); err != nil {
				return err
			}
			fmt.Fprintf(p.Stdout, "service %s: removed\n", name)
			removed, err := removeAccount(cmd.Context(), name)
			if removed {
				fmt.Fprintf(p.Stdout, "user %s: removed\n", defaultUser(name))
			}
			return err
		},
	}
	p.WithName(cmd, &name)
	return cmd
}

// controlCommand is start, stop or restart.
func (p Program) controlCommand(action string) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   action,
		Short: strings.ToUpper(action[:1]) + action[1:] + " the service",
		RunE: func(*cobra.Command, []string) error {
			m, err := newManager(unit.Service{Name: name})
			if err != nil {
				return err
			}
			return m.control(action)
		},
	}
	p.WithName(cmd, &name)
	return cmd
}

// Running asks the service manager for a service. The error is [ErrNotRunning] or [ErrNotInstalled] if it does not run.
func Running(name string) error {
	m, err := newManager(unit.Service{Name: name})
	if err != nil {
		return err
	}
	running, err := m.running()
	switch {
	case err != nil:
		return fmt.Errorf("service %s: %w", name, err)
	case !running:
		return fmt.Errorf("service %s %w", name, ErrNotRunning)
	}
	return nil
}
