// Package remote lets a server run commands on an agent's host and move its files, within the host's [policy]: it is what
// exec-agent is made of, for any agent.
//
//	func (a *app) Setup(ag *libagent.Agent) (err error) {
//		a.remote, err = remote.Open(ag, remote.Config{Policy: policy.NewSource("policy.conf"), DataDir: "data"})
//		return err
//	}
//
//	func (a *app) Stop(context.Context, *libagent.Agent) error { return a.remote.Close() }
//
// It answers the messages exec, exec kill, ls, upload and download of servers of either kind, and announces wire.FeatureExec and
// wire.FeatureFiles to those of ours.
//
// All output of a command is sent before its end. A command goes on while the connection is lost, and what it writes waits, in
// memory and on disk; after a crash of the agent the next start ends what is left of its commands, and tells the server so. Every
// order and its result goes to Config.Audit, without passwords and without what is in files.
package remote
