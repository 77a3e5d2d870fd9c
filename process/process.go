package process

import (
	"context"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
)

// Reason is why a command was ended.
type Reason string

const (
	// Itself says that nothing else has ended it.
	Itself Reason = ""
	// Timeout says that it took longer than it may.
	Timeout Reason = "timeout"
	// Killed is an end by Process.Kill.
	Killed Reason = "killed"
	// Stopped says that its context ended, or the Runner was closed.
	Stopped Reason = "stopped"
)

// Result is how a command has ended.
type Result struct {
	// Code is the exit status, -1 when a signal has ended the command. On Windows it has up to 32 bits.
	Code int64
	// Signal is what has ended it, such as SIGKILL, "" for an exit.
	Signal string
	// Reason is why it was told to end. A command that ended by itself at the same moment may have one, too.
	Reason Reason
	// Begin and End are when it was started, and when it had ended and its output was read.
	Begin, End time.Time
	// Background is how many processes go on without it.
	Background int
	// Err is what went wrong with its output or its group; the rest is true all the same.
	Err error
}

// Process is a command that was started. Its methods may be called by any goroutine.
type Process struct {
	pid    int
	cmd    *exec.Cmd
	group  *limit.Group
	output *output
	begin  time.Time
	grace  time.Duration
	hurry  time.Duration // the grace when all stops
	asked  chan Reason   // holds one

	stdin    io.Reader      // nil for none
	input    io.WriteCloser // where stdin goes to
	terminal *os.File       // nil for pipes

	result Result // of done
	done   chan struct{}
}

// PID is the number of the process.
func (p *Process) PID() int { return p.pid }

// Begin is when it was started.
func (p *Process) Begin() time.Time { return p.begin }

// Done is closed when the command has ended and its output was read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the command's end and says how it was.
func (p *Process) Wait() Result {
	<-p.done
	return p.result
}

// Kill tells the command to end, and does not wait for it: SIGTERM first, after the grace period SIGKILL for all of it.
func (p *Process) Kill() { p.ask(Killed) }

// Resize tells the command the new size of its terminal.
func (p *Process) Resize(s Size) error {
	if p.terminal == nil {
		return ErrUnsupported
	}
	return resize(p.terminal, s)
}

// ask has the command ended; the first one who asks gives the reason.
func (p *Process) ask(why Reason) {
	select {
	case p.asked <- why:
	default:
	}
}

// supervise waits for the end of the command, or brings it about, until all of its output has been read.
func (p *Process) supervise(ctx context.Context, timeout time.Duration) {
	var helpers sync.WaitGroup
	exited := make(chan struct{})
	helpers.Go(func() {
		awaitExit(p.cmd)
		close(exited)
	})
	if p.stdin != nil {
		helpers.Go(p.feed)
	}
	read := make(chan struct{})
	helpers.Go(func() {
		defer close(read)
		p.output.copy(exited)
	})

	why := p.await(ctx, timeout, exited)
	if why != Itself {
		p.terminate(why, exited)
	}
	<-exited
	p.output.wake()
	state := p.reap()
	if why == Itself {
		// Until its output has come to its end it can still be killed, since Output may take its time.
		why = p.await(ctx, 0, read)
	}
	if why != Itself {
		_ = p.group.Kill() // the group's Close says it again
	}
	<-read
	p.output.close()
	if p.stdin != nil {
		if c, ok := p.stdin.(io.Closer); ok {
			_ = c.Close() // so that its Read returns
		}
	}
	if p.input != nil {
		_ = p.input.Close() // broken or closed already
	}
	helpers.Wait()
	p.result.Begin, p.result.End, p.result.Reason = p.begin, time.Now(), why
	p.result.Code, p.result.Signal = status(state)
	p.result.Err = p.output.err
}

// await waits for an end, and says who wants it before that.
func (p *Process) await(ctx context.Context, timeout time.Duration, end <-chan struct{}) Reason {
	var late <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		late = t.C
	}
	select {
	case <-end:
		return Itself
	case why := <-p.asked:
		return why
	case <-ctx.Done():
		return Stopped
	case <-late:
		return Timeout
	}
}

// terminate asks the command to end, and after the grace period makes everything end that it has started.
func (p *Process) terminate(why Reason, exited <-chan struct{}) {
	grace := p.grace
	if why == Stopped {
		grace = p.hurry
	}
	over := time.NewTimer(grace)
	defer over.Stop()
	if !interrupt(p.cmd) {
		over.Reset(0)
	}
	select {
	case <-exited:
	case <-over.C:
		_ = p.group.Kill() // the end of the process shows whether it worked
		<-exited
		return
	}
	// It has gone by itself: what it started may take the rest of the time. Its own entry is left to be waited for.
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		u, err := p.group.Usage()
		if err != nil || u.Processes == 0 {
			return
		}
		select {
		case <-over.C:
			return
		case <-time.After(pause):
		}
	}
}

// reap takes the command's status; nothing signals its process from here on.
func (p *Process) reap() *os.ProcessState {
	_ = p.cmd.Wait() // a status that is not 0 is told by the state
	return p.cmd.ProcessState
}

// feed gives the command what it reads, and then its end.
func (p *Process) feed() {
	if p.terminal == nil {
		_, _ = io.Copy(p.input, p.stdin) // the command need not read all of it
		_ = p.input.Close()
		return
	}
	typed := &typed{Reader: p.stdin}
	_, _ = io.Copy(p.input, typed)
	end := []byte{endOfInput}
	if typed.open {
		end = append(end, endOfInput)
	}
	_, _ = p.input.Write(end)
}

// endOfInput is what a terminal takes for the end of what is typed: Ctrl-D. In the middle of a line it is the end of that only.
const endOfInput = 4

// typed is what a terminal gets.
type typed struct {
	io.Reader
	open bool // in the middle of a line
}

func (t *typed) Read(b []byte) (int, error) {
	n, err := t.Reader.Read(b)
	if n > 0 {
		t.open = b[n-1] != '\n' && b[n-1] != '\r'
	}
	return n, err
}
