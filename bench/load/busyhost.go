package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"time"
)

// BusyHost makes this machine one with so many sockets and processes more, for what looks at machines, until ctx ends or the time is
// over.
func BusyHost(ctx context.Context, sockets, processes int, d time.Duration, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, d)
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
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return fmt.Errorf("socket %d: %w", len(open), err)
		}
		peer, err := ln.Accept()
		if err != nil {
			return errors.Join(err, c.Close())
		}
		open = append(open, c, peer)
	}
	var running []*exec.Cmd
	defer func() {
		cancel()
		for _, c := range running {
			_ = c.Wait() // says that it was killed
		}
	}()
	for len(running) < processes {
		c := exec.CommandContext(ctx, "sleep", "86400")
		if err := c.Start(); err != nil {
			return err
		}
		running = append(running, c)
	}
	fmt.Fprintf(out, "%d sockets, %d processes\n", len(open), len(running))
	<-ctx.Done()
	return nil
}
