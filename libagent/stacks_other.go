//go:build !unix

package libagent

// watchQuit does nothing: there is no SIGQUIT.
func (ag *Agent) watchQuit() (end func()) { return func() {} }
