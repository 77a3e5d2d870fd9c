package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// BusyHost makes this machine one with so many sockets and processes more, for what looks at machines. It says when they are all
// there, and from then on lasts until ctx ends or the time is over.
func BusyHost(ctx context.Context, sockets, processes int, d time.Duration, out io.Writer) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for len(open) < sockets {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return fmt.Errorf("socket %d: %w", len(open), err)
		}
		peer, err := ln.Accept()
		if err != nil {
			return errors.Join(err, c.Close())
		}
		open = append(open, c, peer)
	}
	stop, err := startProcesses(ctx, processes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	fmt.Fprintf(out, "%d sockets, %d processes\n", len(open), processes)
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return nil
}

// processesScript starts $1 processes, says so, and ends them when its standard input ends. They are the shell's children: of its own
// ones this process would keep a descriptor each, beside those of the sockets.
const processesScript = `pids=
while [ "$1" -gt 0 ]; do sleep 86400 </dev/null >/dev/null & pids="$pids $!"; set -- $(($1 - 1)); done
echo ready
read -r end
[ -z "$pids" ] || kill $pids`

// startProcesses starts so many processes. The function that it returns ends them.
func startProcesses(ctx context.Context, n int) (stop func() error, err error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", processesScript, "sh", strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Cancel = in.Close
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() error {
		_ = in.Close() // it may be closed
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("processes: %w", err)
		}
		return nil
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("processes: %w", err), stop())
	}
	return stop, nil
}
