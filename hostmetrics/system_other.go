//go:build !linux && !windows

package hostmetrics

import (
	"context"
	"runtime"
	"time"
)

// What this system has, and how it is called.
const (
	systemName = runtime.GOOS
	hasLoad    = true
)

// connectionTypes are the types of connections that can be listed.
func connectionTypes() []string { return []string{"tcp4", "tcp6", "udp4", "udp6", "unix"} }

func installed() time.Time { return time.Time{} }

// What follows is not known here.

func (c *Collector) readUsers(context.Context) (func(*Static), error)       { return nil, errAbsent }
func (c *Collector) readNameServers(context.Context) (func(*Static), error) { return nil, errAbsent }
func (c *Collector) readGateway(context.Context) (func(*Static), error)     { return nil, errAbsent }
