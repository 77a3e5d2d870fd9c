package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/remote"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/jkstack/jkframe/v2/policy"
	"github.com/spf13/cobra"
)

// conf is what the agent is configured with. What it may do is not here: that is the policy's.
type conf struct {
	libagent.Config `kv:"basic"`

	Policy  string    `kv:"policy" desc:"file that says what may happen on this host; empty: policy.conf beside this file"`
	DataDir string    `kv:"data_dir" desc:"folder of the agent's own: what runs, output, temporary files"`
	Audit   auditConf `kv:"audit"`
}

// auditConf says where every order and its result is written down.
type auditConf struct {
	Dir    string `kv:"dir" desc:"folder of the record of every order and its result"`
	Size   int64  `kv:"size,bytes" desc:"size at which a file of it is rotated"`
	Rotate int    `kv:"rotate" desc:"how many rotated files of it are kept"`
}

// app is the agent.
type app struct {
	audit  *logging.Log
	remote *remote.Service
}

var (
	_ libagent.Commander = (*app)(nil)
	_ libagent.Stopper   = (*app)(nil)
	_ libagent.Folders   = (*conf)(nil)
)

func (*app) Name() string    { return "exec-agent" }
func (*app) Version() string { return version }

func (*app) NewConfig() libagent.Settings {
	return &conf{DataDir: "./data", Audit: auditConf{Dir: "./audit", Size: 10_000_000, Rotate: 20}}
}

// Folders are those that the agent writes in.
func (c *conf) Folders() []string { return []string{c.DataDir, c.Audit.Dir} }

// policyFile is where the policy is, of a config that was read from a file.
func (c *conf) policyFile(confFile string) string {
	if c.Policy != "" {
		return c.Policy
	}
	return filepath.Join(filepath.Dir(confFile), "policy.conf")
}

func (a *app) Setup(ag *libagent.Agent) (err error) {
	c := libagent.ConfigOf[*conf](ag)
	a.audit, err = logging.Open(logging.Config{
		Target: []string{logging.TargetFile}, Dir: c.Audit.Dir, Size: c.Audit.Size, Rotate: c.Audit.Rotate, Format: logging.FormatJSON,
	})
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	a.remote, err = remote.Open(ag, remote.Config{
		Policy: policy.NewSource(c.policyFile(ag.ConfigFile())), DataDir: c.DataDir, Audit: a.audit.Logger(),
	})
	if err != nil {
		return errors.Join(err, a.audit.Close())
	}
	return nil
}

// Stop ends what commands have left in the background; they themselves have ended with their handlers.
func (a *app) Stop(context.Context, *libagent.Agent) error {
	return errors.Join(a.remote.Close(), a.audit.Close())
}

// Commands are those for the policy.
func (a *app) Commands(file *string) []*cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "What may happen on this host: begin a policy, check it"}
	each := func(name, short string, do func(cmd *cobra.Command, file string) error) {
		cmd.AddCommand(&cobra.Command{Use: name, Short: short, RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := libagent.LoadConfig[*conf](a, *file)
			if errors.Is(err, fs.ErrNotExist) {
				c, err = &conf{}, nil // the policy may well come first
			}
			if err != nil {
				return err
			}
			return do(cmd, c.policyFile(*file))
		}})
	}
	each("init", "Write a policy to begin with: no shell, no other user, folders that can only be read", func(cmd *cobra.Command, file string) error {
		if err := policy.Init(file); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s is written: read it, and change it to what you want to allow\n", file)
		return nil
	})
	each("check", "Say whether the agent can use the policy", func(cmd *cobra.Command, policyFile string) error {
		// For root it is what the user finds that the agent runs as: his rights, and his links.
		err := libagent.AsOwner(*file, func() error { return policy.NewSource(policyFile).Current().Check() })
		if err != nil {
			return fmt.Errorf("%s: everything is refused: %w", policyFile, err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", policyFile)
		return nil
	})
	return []*cobra.Command{cmd}
}
