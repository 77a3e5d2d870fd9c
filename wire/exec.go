package wire

import "time"

// Running commands. Exec is answered by Execd, then come any number of ExecData, and ExecDone; the ExecDone of a peer may
// come before its last ExecData. ExecKill has no answer.
var (
	Exec     = Define[ExecPayload](10, "exec", "exec")
	Execd    = Define[ExecdPayload](11, "execd", "execd")
	ExecData = Define[ExecDataPayload](12, "exec data", "exec_data")
	ExecDone = Define[ExecDonePayload](13, "exec done", "exec_done")
	ExecKill = Define[ExecKillPayload](14, "exec kill", "exec_kill")
)

// How a task gets the rights of another user.
const (
	AuthNone = ""
	AuthSu   = "su"
	AuthSudo = "sudo"
)

// ExecPayload is a command to run. Servers of the field send a whole command line in Cmd.
type ExecPayload struct {
	Cmd     string   `json:"cmd"`
	Args    []string `json:"args,omitempty"`
	Timeout int      `json:"timeout"` // seconds
	Auth    string   `json:"auth,omitempty"`
	User    string   `json:"user,omitempty"`
	Pass    string   `json:"pass,omitempty"`
	WorkDir string   `json:"workdir,omitempty"`
	Env     []string `json:"env,omitempty"` // KEY=value, added to the agent's own
	DeferRM string   `json:"drm,omitempty"` // file to remove once the command has ended

	// For agents that have announced FeatureExec.
	Detail bool   `json:"detail,omitempty"` // the answers shall say Why, Signal and Cut
	PTY    bool   `json:"pty,omitempty"`    // on a terminal, in place of pipes
	Rows   uint16 `json:"rows,omitempty"`   // height of the terminal
	Cols   uint16 `json:"cols,omitempty"`   // width of the terminal
	Stdin  []byte `json:"stdin,omitempty"`  // what the command reads; then comes its end
}

// ExecdPayload says whether the command has started.
type ExecdPayload struct {
	OK   bool      `json:"ok"`
	Msg  string    `json:"msg,omitempty"` // why not, when not OK
	PID  int       `json:"pid"`           // 0 when not OK
	Time time.Time `json:"t"`             // of the start, or of the attempt
	Why  string    `json:"why,omitempty" wire:"max=64"`
}

// ExecDataPayload is a piece of the command's output.
type ExecDataPayload struct {
	Data []byte `json:"data"`

	// Offset is how many bytes of output come before Data, from an agent that was asked with Detail. It sends some of it again
	// after a connection was lost, since it cannot know what has arrived: what is known is skipped, and what does not follow is
	// dropped, because it comes again.
	Offset *uint64 `json:"offset,omitempty"`
}

// ExecDonePayload says how the command has ended.
type ExecDonePayload struct {
	Code int64     `json:"code"` // exit status, -1 for a signal; on Windows up to 32 bits without sign
	Time time.Time `json:"t"`    // of the end

	Why    string `json:"why,omitempty" wire:"max=64"`    // WhyTimeout, WhyKilled, WhyStopped, "" for an end of its own
	Signal string `json:"signal,omitempty" wire:"max=64"` // that ended it, such as SIGKILL
	Cut    uint64 `json:"cut,omitempty"`                  // bytes of output beyond the agent's limit, which are not sent
	Size   uint64 `json:"size,omitempty"`                 // bytes of output that were sent; an end that comes before them comes again
}

// ExecKillPayload asks for the end of a command.
type ExecKillPayload struct {
	PID int `json:"pid"`
}
