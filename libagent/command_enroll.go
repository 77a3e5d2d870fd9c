package libagent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/libagent/internal/identity"
	"github.com/spf13/cobra"
)

// enrollFlags are what the command enroll is told.
type enrollFlags struct {
	server, token, tokenFile string
	pin, ca, id              string
	again                    bool
}

// enrollCommand gets the agent its certificate.
func (c Command) enrollCommand() *cobra.Command {
	var file string
	var f enrollFlags
	cmd := &cobra.Command{
		Use:   "enroll",
		Short: "Get a certificate from the server, with a token",
		Long: "Make a key on this host, and get a certificate for it from the server. The line to run is printed by \"agent-server token\n" +
			"create\". The server's address and the id are written into the config file.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (f.token == "") == (f.tokenFile == "") {
				return errors.New("enroll needs --token or --token-file")
			}
			return failed(c.enroll(cmd.Context(), file, f))
		},
	}
	withConf(cmd, &file)
	flags := cmd.Flags()
	flags.StringVar(&f.server, "server", "", "address of the server, wss://host:port; by default, the first one of the config file")
	flags.StringVar(&f.token, "token", "", "token; - reads it from standard input")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the token")
	flags.StringVar(&f.pin, "ca-fingerprint", "", "fingerprint of the server's certificate authority, sha256:…")
	flags.StringVar(&f.ca, "ca", "", "file with the server's certificate authority")
	flags.StringVar(&f.id, "id", "", "id of this agent; by default, that of the config file, or one of the server's choice")
	flags.BoolVar(&f.again, "again", false, "enrol even if this agent is enrolled already")
	return cmd
}

// enroll does what the command is for.
func (c Command) enroll(ctx context.Context, file string, f enrollFlags) error {
	src, err := readSource(file)
	if err != nil {
		return err
	}
	conf, server, err := f.config(c.App, src)
	if err != nil {
		return err
	}
	token, err := f.secret(c)
	if err != nil {
		return err
	}
	folder := conf.TLS.folder(file)
	have, err := folder.Load()
	if !f.again {
		if err != nil {
			return err
		}
		if have != nil {
			return fmt.Errorf("this agent is enrolled as %q until %s: add --again to enrol anew", have.ID, have.Cert.NotAfter.Format(time.RFC3339))
		}
	}
	trust, err := conf.TLS.trust(nil)
	if err != nil {
		return err
	}
	var i *identity.Identity
	err = inFolderOf(file, string(folder), func() (err error) {
		i, err = enrolAt(ctx, server, trust, folder, token, conf.ID, c.App.Name())
		return err
	})
	if err != nil {
		return fmt.Errorf("enroll at %s: %w", server, err)
	}
	fmt.Fprintf(c.Stdout, "enrolled as %q (%s), certificate until %s in %s\n", i.ID, i.Type, i.Cert.NotAfter.UTC().Format(time.RFC3339), folder)
	return f.write(file, src, server, i.ID)
}

// config returns the agent's config with what the command line says in place of what the file does, and the server.
func (f *enrollFlags) config(app App, src *source) (*Config, string, error) {
	if f.server != "" {
		addr, err := serverAddr(f.server)
		if err != nil {
			return nil, "", fmt.Errorf("--server: %w", err)
		}
		src.set(section+".server", addr)
	}
	for key, value := range map[string]string{"id": f.id, "tls.fingerprint": f.pin, "tls.ca": f.ca} {
		if value != "" {
			src.set(section+"."+key, value)
		}
	}
	s, _, err := src.load(app)
	if err != nil {
		return nil, "", err
	}
	conf := s.Basic()
	server := conf.Server[0]
	if !strings.HasPrefix(server, secureScheme) {
		server = secureScheme + server // what enrols has TLS, or could not show what it gets
	}
	return conf, server, nil
}

// secret returns the token.
func (f *enrollFlags) secret(c Command) (string, error) {
	switch {
	case f.tokenFile != "":
		return readToken(f.tokenFile)
	case f.token == "-":
		return tokenFrom(c.Stdin, "standard input")
	}
	return f.token, nil
}

// enrolAt asks one server, with a connection of its own.
func enrolAt(ctx context.Context, server string, trust identity.Trust, folder identity.Folder, token, id, kind string) (*identity.Identity, error) {
	host, _, err := splitServer(server)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSClientConfig:       trust.Config(host, func() *identity.Identity { return nil }),
		ResponseHeaderTimeout: handshakeTimeout,
		DisableKeepAlives:     true,
	}
	client := identity.Client{Server: "https://" + hostPort(server), HTTP: newHTTPClient(t)}
	return client.Enrol(ctx, folder, token, id, kind)
}

// write puts the server into the config file, and the id if it has none. What is there already stays.
func (f *enrollFlags) write(file string, src *source, server, id string) error {
	prefix := section + "."
	if src.flat {
		prefix = ""
	}
	if f.server != "" {
		if err := writeSetting(file, prefix+"server", server); err != nil {
			return fmt.Errorf("enrolled, but the server's address was not written into the config: %w", err)
		}
	}
	disk, err := readSource(file)
	if err != nil {
		return err
	}
	if disk.raw(section+".id") != "" && f.id == "" {
		return nil
	}
	if err := writeSetting(file, prefix+"id", id); err != nil {
		return fmt.Errorf("enrolled, but the id was not written into the config: %w", err)
	}
	return nil
}
