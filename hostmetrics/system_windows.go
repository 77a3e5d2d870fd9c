package hostmetrics

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// What this system has, and how it is called.
const (
	systemName = "windows"
	hasLoad    = false
)

// connectionTypes are the types of connections that can be listed.
func connectionTypes() []string { return []string{"tcp4", "tcp6", "udp4", "udp6"} }

// installed is when the system was installed, zero if the registry does not say.
func installed() time.Time {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion`, registry.QUERY_VALUE)
	if err != nil {
		return time.Time{}
	}
	defer k.Close()
	seconds, _, err := k.GetIntegerValue("InstallDate")
	if err != nil || seconds == 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// readUsers lists the accounts that have a folder of their own on the machine.
func (c *Collector) readUsers(context.Context) (func(*Static), error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	ids, err := k.ReadSubKeyNames(-1)
	if err != nil {
		return nil, err
	}
	var list []User
	for _, id := range ids[:min(len(ids), maxEntries)] {
		sid, err := windows.StringToSid(id)
		if err != nil {
			continue
		}
		name, _, _, err := sid.LookupAccount("")
		if err == nil {
			list = append(list, User{Name: clip(name, maxName), ID: id})
		}
	}
	return func(s *Static) { s.Users = list }, nil
}

// readNameServers lists the name servers of all interfaces that are up.
func (c *Collector) readNameServers(context.Context) (func(*Static), error) {
	var list []string
	err := adapters(func(a *windows.IpAdapterAddresses) {
		for d := a.FirstDnsServerAddress; d != nil; d = d.Next {
			if ip := ipOf(d.Address); ip != "" && !slices.Contains(list, ip) && len(list) < 16 {
				list = append(list, ip)
			}
		}
	})
	return func(s *Static) { s.NameServers = list }, err
}

// readGateway says where the default route leads.
func (c *Collector) readGateway(context.Context) (func(*Static), error) {
	gateway, best := "", ^uint32(0)
	err := adapters(func(a *windows.IpAdapterAddresses) {
		for g := a.FirstGatewayAddress; g != nil; g = g.Next {
			if ip := ipOf(g.Address); ip != "" && a.Ipv4Metric < best {
				gateway, best = ip, a.Ipv4Metric
			}
		}
	})
	if err == nil && gateway == "" {
		err = errAbsent
	}
	return func(s *Static) { s.Gateway = gateway }, err
}

// adapters calls f with each interface that is up.
func adapters(f func(*windows.IpAdapterAddresses)) error {
	const flags = windows.GAA_FLAG_INCLUDE_GATEWAYS | windows.GAA_FLAG_SKIP_ANYCAST | windows.GAA_FLAG_SKIP_MULTICAST
	for size := uint32(16 << 10); size <= 4<<20; {
		b := make([]byte, size)
		first := (*windows.IpAdapterAddresses)(unsafe.Pointer(&b[0]))
		err := windows.GetAdaptersAddresses(windows.AF_UNSPEC, flags, 0, first, &size)
		if errors.Is(err, windows.ERROR_BUFFER_OVERFLOW) {
			size *= 2
			continue
		}
		if err != nil {
			return err
		}
		for a := first; a != nil; a = a.Next {
			if a.OperStatus == windows.IfOperStatusUp {
				f(a)
			}
		}
		return nil
	}
	return windows.ERROR_BUFFER_OVERFLOW
}

// ipOf writes an IP address, "" for what is none.
func ipOf(a windows.SocketAddress) string {
	ip, ok := netip.AddrFromSlice(a.IP())
	if !ok || ip.IsUnspecified() {
		return ""
	}
	return ip.Unmap().String()
}
