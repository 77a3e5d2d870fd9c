package demo

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// settings are the keys of the server's config file that the demo needs, and how to talk to the server.
type settings struct {
	Listen  string `kv:"listen"`
	DataDir string `kv:"data_dir"`
	API     struct {
		Listen    string `kv:"listen"`
		TokenFile string `kv:"token_file"`
	} `kv:"api"`

	conf  []byte // the file as the server gets it
	notes []string
}

// load reads the server's config file, and moves the addresses in it to free ports when theirs are taken. Relative paths are
// those of a server that runs in the folder home.
func (s *settings) load(file, home string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s.Listen, s.API.Listen, s.DataDir = "127.0.0.1:13081", "127.0.0.1:13080", "data"
	if err := kvconf.NewDecoder(bytes.NewReader(data)).File(file).Tolerant().Decode(s); err != nil {
		return err
	}
	if s.API.TokenFile == "" {
		s.API.TokenFile = filepath.Join(s.DataDir, "api.token")
	}
	if !filepath.IsAbs(s.API.TokenFile) {
		s.API.TokenFile = filepath.Join(home, s.API.TokenFile)
	}
	doc, err := kvconf.Parse(data)
	if err != nil {
		return err
	}
	// Both are held until both are chosen, so that they do not become the same.
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for _, a := range []struct {
		key  string
		addr *string
	}{{"listen", &s.Listen}, {"api.listen", &s.API.Listen}} {
		l, err := net.Listen("tcp", *a.addr)
		if err != nil {
			taken := *a.addr
			if l, err = freePort(taken, err); err != nil {
				return fmt.Errorf("%s: %w", a.key, err)
			}
			*a.addr = l.Addr().String()
			s.notes = append(s.notes, fmt.Sprintf("%s is taken by another program: %s is %s here.", taken, a.key, *a.addr))
			if err := doc.Set(a.key, *a.addr); err != nil {
				return errors.Join(err, l.Close())
			}
		}
		held = append(held, l)
	}
	s.conf = doc.Bytes()
	return nil
}

// freePort listens on the same host as an address that failed.
func freePort(addr string, failed error) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, errors.Join(failed, err)
	}
	return l, nil
}

// agentConf reads an agent's config file and sends the agent to the demo's server.
func agentConf(file, server string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	doc, err := kvconf.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := doc.Set("basic.server", server); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return doc.Bytes(), nil
}
