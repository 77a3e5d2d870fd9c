package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/internal/pki"
	"github.com/jkstack/jkframe/v2/server/internal/roster"
	"github.com/spf13/cobra"
)

// agentCommand lists and revokes agents that are enrolled.
func (c Command) agentCommand() *cobra.Command {
	group := &cobra.Command{Use: "agent", Short: "List and revoke agents that are enrolled", Args: noArgs, RunE: help}
	list := &cobra.Command{Use: "list", Short: "List the agents that are enrolled", Args: noArgs}
	c.withConf(list, func(cfg Config) error {
		all, err := roster.List(cfg.agentsDir())
		if err != nil {
			return err
		}
		return table(c.Stdout, "ID\tTYPE\tENROLLED\tCERTIFICATE UNTIL\tCA\tSTATE", func(row func(...any)) {
			for _, a := range all {
				state := "good"
				switch {
				case a.Revoked:
					state = "revoked"
				case time.Now().After(a.NotAfter):
					state = "expired"
				}
				row(strconv.Quote(a.ID), strconv.Quote(a.Type), when(a.Enrolled), when(a.NotAfter), shortPrint(a.Issuer), state)
			}
		})
	})
	revoke := &cobra.Command{Use: "revoke ID", Short: "Close the connection of an agent, and let it in no more", Args: exactArg("the id of an agent")}
	c.withConf(revoke, func(cfg Config) error {
		rev, err := roster.Revoke(cfg.agentsDir(), revoke.Flags().Arg(0), operator())
		if err != nil {
			return err
		}
		fmt.Fprintf(c.Stdout, "agent %q is revoked\n", rev.Agent)
		return post(cfg, audit.Entry{Event: "revoke", Target: rev.Agent, Detail: map[string]any{"enrolment": rev.Enrolment}})
	})
	group.AddCommand(list, revoke)
	return group
}

// shortPrint is as much of a fingerprint as a person needs.
func shortPrint(fingerprint string) string {
	_, hex, _ := strings.Cut(fingerprint, ":")
	return hex[:min(16, len(hex))]
}

// caCommand shows and replaces the server's own certificate authority.
func (c Command) caCommand() *cobra.Command {
	group := &cobra.Command{Use: "ca", Short: "Show and replace the server's own certificate authority", Args: noArgs, RunE: help}
	show := &cobra.Command{Use: "show", Short: "List the CAs that are trusted, and which of them signs", Args: noArgs}
	c.withData(show, func(cfg Config) error {
		a, err := pki.Open(cfg.caDir())
		if err != nil {
			return err
		}
		return table(c.Stdout, "FINGERPRINT\tNAME\tUNTIL\tSIGNS", func(row func(...any)) {
			for _, ca := range a.List() {
				row(ca.Fingerprint, ca.Name, when(ca.NotAfter), ca.Signs)
			}
		})
	})
	rotate := &cobra.Command{
		Use: "rotate", Short: "Make a new CA, which agents learn of, and which does not sign before it is activated", Args: noArgs,
	}
	c.withData(rotate, func(cfg Config) error {
		fingerprint, err := pki.Rotate(cfg.caDir())
		return c.changed(cfg, "ca.rotate", fingerprint, "is trusted", err)
	})
	activate := &cobra.Command{Use: "activate FINGERPRINT", Short: "Have a CA sign from now on", Args: exactArg("the fingerprint of a CA, or its beginning")}
	c.withConf(activate, func(cfg Config) error {
		fingerprint, err := pki.Activate(cfg.caDir(), activate.Flags().Arg(0))
		return c.changed(cfg, "ca.activate", fingerprint, "signs", err)
	})
	remove := &cobra.Command{
		Use: "remove FINGERPRINT", Short: "Have a CA, and all that it has signed, be worth nothing from now on",
		Args: exactArg("the fingerprint of a CA, or its beginning"),
	}
	c.withConf(remove, func(cfg Config) error {
		fingerprint, err := pki.Remove(cfg.caDir(), remove.Flags().Arg(0))
		return c.changed(cfg, "ca.remove", fingerprint, "is removed", err)
	})
	group.AddCommand(show, rotate, activate, remove)
	return group
}

// changed says and writes down what was done with a CA.
func (c Command) changed(cfg Config, event, fingerprint, what string, err error) error {
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s %s\n", fingerprint, what)
	return post(cfg, audit.Entry{Event: event, Target: fingerprint})
}

// auditCommand checks the audit log.
func (c Command) auditCommand() *cobra.Command {
	group := &cobra.Command{Use: "audit", Short: "Check the audit log", Args: noArgs, RunE: help}
	var at []string
	verify := &cobra.Command{
		Use: "verify", Short: "Say whether somebody has changed the audit log",
		Long: "Check every line of the audit log, and that each follows the one before it. What was cut off at the end can be told\n" +
			"only by somebody who knows a later line: keep what this command prints elsewhere, and give it back with --at.",
		Args: noArgs,
	}
	verify.Flags().StringSliceVar(&at, "at", nil, "SEQ:HASH of a line that must be there")
	c.withConf(verify, func(cfg Config) error {
		var marks []audit.Mark
		for _, m := range at {
			seq, hash, _ := strings.Cut(m, ":")
			n, err := strconv.ParseUint(seq, 10, 64)
			if err != nil || hash == "" {
				return usageError{fmt.Errorf("--at %s: want the number and the hash of a line, as 17:0a1b…", m)}
			}
			marks = append(marks, audit.Mark{Seq: n, Hash: hash})
		}
		r, err := audit.Verify(cfg.auditDir(), marks...)
		if err != nil {
			return fmt.Errorf("the audit log was changed: %w", err)
		}
		fmt.Fprintf(c.Stdout, "ok: %d lines, %d to %d", r.Lines, r.First, r.Last)
		if r.Inbox > 0 {
			fmt.Fprintf(c.Stdout, "; %d more wait for the server", r.Inbox)
		}
		fmt.Fprintf(c.Stdout, "\n%d:%s\n", r.Last, r.Hash)
		return nil
	})
	group.AddCommand(verify)
	return group
}
