package libagent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest"
	"github.com/spf13/cobra"
)

// maxManifestErrors is how many mistakes of a manifest, or against it, are shown at once.
const maxManifestErrors = 20

func (c Command) checkCommand() *cobra.Command {
	var file, manifestFile string
	var connect bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the config file and the manifest, and the way to the server",
		Long: "Check the config file, and the manifest.yaml beside it with the config held against it. With --connect every step to each\n" +
			"server is tried and shown: name, TCP, TLS, WebSocket, handshake. An agent with the same id that is connected keeps its place.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := Check(c.App, file); err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.Stdout, "%s: ok\n", file)
			if err := c.checkManifest(file, manifestFile); err != nil {
				return failed(err)
			}
			if !connect {
				return nil
			}
			return failed(c.checkServers(cmd.Context(), file))
		},
	}
	withConf(cmd, &file)
	cmd.Flags().StringVar(&manifestFile, "manifest", "", "manifest (default the manifest.yaml beside the config file, if there is one)")
	cmd.Flags().BoolVar(&connect, "connect", false, "try every step to each server")
	return cmd
}

// checkManifest checks a manifest, and the config against it. Settings that only the agent knows are right: a form does not
// show all.
func (c Command) checkManifest(conf, file string) error {
	asked := file != ""
	if !asked {
		file = filepath.Join(filepath.Dir(conf), "manifest.yaml")
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil
	}
	if err != nil {
		return err
	}
	result := manifest.Check(data, nil)
	wrong := errorsOf(file, result.Findings)
	if m := result.Manifest; m != nil && len(wrong) == 0 && isKeyValue(conf) {
		text, err := os.ReadFile(conf)
		if err != nil {
			return err
		}
		wrong = errorsOf(conf, m.ParseConf(text, nil).Findings)
	}
	if len(wrong) > 0 {
		return errors.New("the manifest and the config do not fit\n" + strings.Join(wrong[:min(len(wrong), maxManifestErrors)], "\n"))
	}
	fmt.Fprintf(c.Stdout, "%s: ok\n", file)
	return nil
}

// errorsOf shows the errors among findings.
func errorsOf(file string, findings []manifest.Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Severity == manifest.Error {
			all = append(all, file+":"+f.String())
		}
	}
	return all
}

// isKeyValue tells whether a config file is one that a manifest describes.
func isKeyValue(file string) bool {
	return !slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(file)))
}

// checkServers tries the way to each server. One that takes the agent is enough.
func (c Command) checkServers(ctx context.Context, file string) error {
	settings, _, err := load(c.App, file)
	if err != nil {
		return err
	}
	good := 0
	servers := settings.Basic().Server
	for _, server := range servers {
		fmt.Fprintf(c.Stdout, "server %s\n", server)
		ag, err := probingAgent(c.App, settings, file)
		if err != nil {
			return err
		}
		p := &probe{ag: ag, server: server, say: func(step, detail string, err error) {
			outcome := "ok"
			if err != nil {
				outcome, detail = "failed", err.Error()
			}
			fmt.Fprintf(c.Stdout, "  %-10s %-7s %s\n", step, outcome, printable(detail))
		}}
		if p.run(ctx) {
			good++
		}
	}
	switch {
	case good == 0:
		return errors.New("no server takes the agent")
	case good < len(servers):
		fmt.Fprintf(c.Stdout, "%d of %d servers take the agent\n", good, len(servers))
	}
	return nil
}
