package hostmetrics

import (
	"context"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// owner is a process that has a socket.
type owner struct {
	pid int32
	fd  uint32
}

// socketList are the sockets of a machine.
type socketList struct {
	list []Connection
	at   map[uint64][]int32 // where in the list a socket is; those without an inode have no owner
}

// readSockets lists the sockets of some types.
func (c *Collector) readSockets(ctx context.Context, types []string) (l socketList, err error) {
	l.at = make(map[uint64][]int32)
	add := func(inode uint64, n Connection) bool {
		if inode != 0 {
			l.at[inode] = append(l.at[inode], int32(len(l.list)))
		}
		l.list = append(l.list, n)
		return len(l.list) < MaxConnections
	}
	for _, t := range types {
		if t == "unix" {
			err = c.unix(ctx, func(s unixSocket) bool { return add(s.inode, s.connection()) })
		} else {
			err = c.inet(ctx, t, func(s inetSocket) bool { return add(s.inode, s.connection()) })
		}
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

// listConnections lists the sockets, and then looks for who has them.
func (c *Collector) listConnections(ctx context.Context, types []string, perSecond int) ([]Connection, error) {
	l, err := bounded(ctx, c, "sockets", func(ctx context.Context) (socketList, error) { return c.readSockets(ctx, types) })
	if err != nil {
		return nil, err
	}
	list, at := l.list, l.at
	if len(at) == 0 {
		return list, nil
	}
	pids, err := bounded(ctx, c, "processes", c.pids)
	if err != nil {
		return nil, err
	}
	pace := newPace(perSecond)
	err = each(ctx, c, pids, func(_ *files, pid int32) (map[uint64]owner, bool) {
		return c.ownedBy(pid, at)
	}, func(some []map[uint64]owner) error {
		n := 0
		for _, owned := range some {
			for inode, o := range owned {
				for _, i := range at[inode] {
					if l := &list[i]; l.PID == 0 || o.pid < l.PID { // the parent that handed it on
						l.PID, l.FD = o.pid, o.fd
					}
				}
				n++
			}
		}
		return pace.wait(ctx, n)
	})
	return list, err
}

// ownedBy returns which of the wanted sockets a process has. Those of processes of others can only be seen with privileges.
func (c *Collector) ownedBy(pid int32, wanted map[uint64][]int32) (map[uint64]owner, bool) {
	dir, err := c.openProcess(pid)
	if err != nil {
		return nil, false
	}
	defer unix.Close(dir)
	var owned map[uint64]owner
	_ = sockets(dir, func(fd uint32, inode uint64) {
		if _, ok := wanted[inode]; !ok {
			return
		}
		if owned == nil {
			owned = make(map[uint64]owner)
		}
		if _, ok := owned[inode]; !ok {
			owned[inode] = owner{pid, fd}
		}
	})
	return owned, owned != nil
}

// unix calls f with each socket of a Unix domain until it returns false.
func (c *Collector) unix(ctx context.Context, f func(unixSocket) bool) error {
	if c.root == "/" {
		if err := dumpUnix(ctx, f); !errors.Is(err, errNoDiag) {
			return err
		}
	}
	return c.procUnix(f)
}

func (s inetSocket) connection() Connection {
	return Connection{Type: s.kind, Local: endpoint(s.local), Remote: endpoint(s.remote), Status: s.status()}
}

func (s unixSocket) connection() Connection {
	n := Connection{Type: "unix", Local: s.path, Status: "NONE"}
	if s.listen {
		n.Status = "LISTEN"
	}
	return n
}

// tcpStates are the names of the states of include/net/tcp_states.h, as netstat writes them.
var tcpStates = [...]string{
	1: "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN",
	"CLOSING", "NEW_SYN_RECV",
}

func (s inetSocket) status() string {
	switch {
	case s.kind[:3] == "udp":
		return "NONE"
	case int(s.state) < len(tcpStates) && s.state > 0:
		return tcpStates[s.state]
	}
	return strconv.Itoa(int(s.state))
}
