package demo

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// grace is how long a process may take to end after it was told to; agents promise 5 s and the server 10.
const grace = 15 * time.Second

// part is a process of the demo. One goroutine waits for it, and ends with it.
type part struct {
	name   string
	cmd    *exec.Cmd
	output lastLines
	done   chan struct{} // closed when the process has ended and err is set
	err    error
}

// startPart starts a process in the folder dir; ended gets it when it has ended, and must have room for it.
func startPart(ended chan<- *part, name, dir, binary string, args ...string) (*part, error) {
	p := &part{name: name, cmd: exec.Command(binary, args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
		ended <- p
	}()
	return p, nil
}

// unasked says how a process has ended that nobody told to.
func (p *part) unasked() error {
	<-p.done
	if p.err == nil {
		return fmt.Errorf("%s ended by itself, with status 0", p.name)
	}
	return fmt.Errorf("%s ended by itself: %w", p.name, p.err)
}

// stop tells the process to end, kills it when it does not, and waits for it. A process that was gone already is no error
// here: whoever noticed that has said so.
func (p *part) stop() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		// Windows has no such signal for another process.
		_ = p.cmd.Process.Kill()
		<-p.done
		return nil
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not end within %v and was killed", p.name, grace)
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.name, p.err)
	}
	return nil
}

// lastLines keeps the end of what is written to it.
type lastLines struct {
	mu  sync.Mutex // guards buf
	buf []byte
}

const maxLastLines = 4 << 10 // bytes

func (l *lastLines) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, data...)
	if over := len(l.buf) - maxLastLines; over > 0 {
		l.buf = append(l.buf[:0], l.buf[over:]...)
	}
	return len(data), nil
}

// tail returns the lines that are there wholly.
func (l *lastLines) tail() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) < maxLastLines {
		return bytes.Clone(l.buf)
	}
	_, whole, _ := bytes.Cut(l.buf, []byte("\n"))
	return bytes.Clone(whole)
}
