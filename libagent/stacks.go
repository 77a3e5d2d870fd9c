package libagent

import "runtime"

// maxStacks is how much of the stacks goes into the log, in bytes.
const maxStacks = 1 << 20

// logStacks writes the stacks of all goroutines into the log, for whoever wants to know what an agent hangs on.
func (ag *Agent) logStacks() {
	buf := make([]byte, maxStacks)
	buf = buf[:runtime.Stack(buf, true)]
	ag.log.Error("stacks of all goroutines", "stacks", string(buf))
	if ag.logs != nil {
		ag.logs.Flush()
	}
}
