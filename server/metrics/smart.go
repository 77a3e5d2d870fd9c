package metrics

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// registerSmart registers /hm/static of the older dialect, where every answer has the status 200.
func registerSmart(h *server.Host) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		var s wire.HostStaticReply
		id, err := smartID(w, r)
		if err == nil {
			s, err = call(r.Context(), h, id, wire.HostStatic, wire.Empty{})
		}
		if err != nil {
			rest.WriteJSON(w, http.StatusOK, smartError(err))
			return
		}
		rest.WriteJSON(w, http.StatusOK, rest.Payload[smartStatic]{Payload: smartOf(s)})
	}
	h.Handle(server.RoleRead, "GET /hm/static", answer)
	h.Handle(server.RoleRead, "POST /hm/static", answer)
}

// smartID is the agent that is asked: in the query, or in a form, which is bounded. A body that is no form says nothing.
func smartID(w http.ResponseWriter, r *http.Request) (string, error) {
	v, err := form.Read(w, r, nil)
	if e := (*rest.Error)(nil); errors.As(err, &e) && e.Code == http.StatusUnsupportedMediaType {
		return r.URL.Query().Get("id"), nil
	}
	if err != nil {
		return "", err
	}
	defer v.Close()
	return v.Get("id"), nil
}

// smartError is an error in the words of that dialect, which has 500 for what it does not list.
func smartError(err error) *rest.Error {
	switch {
	case errors.Is(err, server.ErrNotFound), errors.Is(err, server.ErrGone):
		return rest.Errorf(http.StatusNotFound, "client not found")
	case errors.Is(err, context.DeadlineExceeded):
		return rest.Errorf(http.StatusRequestTimeout, "timeout")
	}
	return rest.Errorf(http.StatusInternalServerError, "%v", server.Answer(err))
}

type (
	// smartStatic is what a host is, in that dialect.
	smartStatic struct {
		Timestamp       int64       `json:"timestamp"`
		HostName        string      `json:"host_name"`
		Uptime          int64       `json:"uptime"` // seconds
		OSName          string      `json:"os_name"`
		Platform        string      `json:"platform"`
		PlatformVersion string      `json:"platform_version"`
		KernelArch      string      `json:"kernel_arch"`
		KernelVersion   string      `json:"kernel_version"`
		PhysicalCore    int         `json:"physical_core"`
		LogicalCore     int         `json:"logical_core"`
		Cores           []smartCore `json:"cores"`
		PhysicalMemory  uint64      `json:"physical_memory"` // bytes
		SwapMemory      uint64      `json:"swap_memory"`     // bytes
		Disks           []smartDisk `json:"disks"`
		Interfaces      []smartIntf `json:"intfs"`
	}
	smartCore struct {
		Processor int32  `json:"processor"`
		Model     string `json:"model"`
		Core      int32  `json:"core"`
		Cores     int32  `json:"cores"`
		Physical  int32  `json:"physical"`
	}
	// smartDisk is a mounted file system.
	smartDisk struct {
		Name    string   `json:"name"`
		Type    string   `json:"type"`
		Options []string `json:"options"`
		Total   uint64   `json:"total"` // bytes
		Inodes  uint64   `json:"inodes"`
	}
	smartIntf struct {
		Index     int      `json:"index"`
		Name      string   `json:"name"`
		MTU       int      `json:"mtu"`
		Flags     []string `json:"flags"`
		MAC       string   `json:"mac"`
		Addresses []string `json:"addrs"`
	}
)

func smartOf(r wire.HostStaticReply) smartStatic {
	return smartStatic{
		Timestamp: unix(r.Time), HostName: r.Host.Name, Uptime: int64(r.Host.Uptime / time.Second),
		OSName: r.OS.Name, Platform: r.OS.Platform, PlatformVersion: r.OS.PlatformVersion,
		KernelArch: r.Kernel.Arch, KernelVersion: r.Kernel.Version,
		PhysicalCore: r.CPU.Physical, LogicalCore: r.CPU.Logical,
		Cores: each(r.CPU.Cores, func(c wire.HostCore) smartCore {
			return smartCore{c.Processor, c.Model, c.Core, c.Cores, c.Physical}
		}),
		PhysicalMemory: r.Memory.Physical, SwapMemory: r.Memory.Swap,
		Disks: each(r.Partitions, func(p wire.HostPartition) smartDisk {
			return smartDisk{p.Name, p.FSType, each(p.Options, same), p.Total, p.Inodes}
		}),
		Interfaces: each(r.Interfaces, func(i wire.HostInterface) smartIntf {
			return smartIntf{i.Index, i.Name, i.MTU, each(i.Flags, same), i.MAC, each(i.Addresses, same)}
		}),
	}
}
