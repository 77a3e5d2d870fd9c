// Package exec measures commands and files through agent-server and exec-agent, as programs of their own, beside OpenSSH with one
// connection for all commands (ControlMaster), which does the same work for the same number of callers; and files through either of
// them with a counterpart that speaks as those of the field do.
package exec
