package smart

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/form"
)

type serverView struct {
	Clients int    `json:"clients"`
	Plugins int    `json:"plugins"` // there are none any more
	Version string `json:"version"`
	Created int64  `json:"created"` // Unix seconds
}

func (d *Dialect) serverInfo(r *http.Request, _ *form.Form) (any, error) {
	agents, err := d.fleet.List(r.Context(), server.Filter{})
	if err != nil {
		return nil, err
	}
	created, err := d.created()
	if err != nil {
		return nil, err
	}
	return serverView{Clients: len(agents), Version: d.version, Created: created.Unix()}, nil
}

type hostView struct {
	HostName string `json:"hostname"`
	OS       string `json:"os"`
}

func (d *Dialect) hostInfo(r *http.Request, v *form.Form) (any, error) {
	id, err := v.Need("id")
	if err != nil {
		return nil, err
	}
	a, err := d.fleet.Get(r.Context(), id)
	if err != nil {
		return nil, err
	}
	return hostView{a.HostName, a.OS}, nil
}

type listView struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	IP       string `json:"ip"`
	MAC      string `json:"mac"`
	OS       string `json:"os"`
	Platform string `json:"platform"`
	Arch     string `json:"arch"`
}

func (d *Dialect) hostList(r *http.Request, v *form.Form) (any, error) {
	agents, err := d.fleet.List(r.Context(), server.Filter{})
	if err != nil {
		return nil, err
	}
	ids := v.CSV("ids")
	slices.Sort(ids)
	views := []listView{}
	for _, a := range agents {
		if _, wanted := slices.BinarySearch(ids, a.ID); !wanted && len(ids) > 0 {
			continue
		}
		view := listView{ID: a.ID, Version: a.Version, MAC: a.MAC, OS: a.OS, Platform: a.Platform, Arch: a.Arch}
		if len(a.IP) > 0 {
			view.IP = a.IP.String()
		}
		views = append(views, view)
	}
	return views, nil
}

func (d *Dialect) hostSearch(r *http.Request, v *form.Form) (any, error) {
	word, err := v.Need("keyword")
	if err != nil {
		return nil, err
	}
	agents, err := d.fleet.List(r.Context(), server.Filter{})
	if err != nil {
		return nil, err
	}
	for _, a := range agents {
		if sameIP(a.IP, word) || sameMAC(a.MAC, word) {
			return a.ID, nil
		}
	}
	return nil, server.ErrNotFound
}

func sameIP(ip net.IP, word string) bool {
	have, ok := netip.AddrFromSlice(ip)
	want, err := netip.ParseAddr(strings.TrimSpace(word))
	return ok && err == nil && have.Unmap() == want.Unmap()
}

// sameMAC compares two addresses, however they are written.
func sameMAC(mac, word string) bool {
	have, err := net.ParseMAC(mac)
	if err != nil {
		return false
	}
	want, err := net.ParseMAC(strings.TrimSpace(word))
	return err == nil && slices.Equal(have, want)
}
