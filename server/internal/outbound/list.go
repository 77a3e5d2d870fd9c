package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// List is where requests may go.
type List []rule

// rule is one member of a list.
type rule struct {
	host string       // in lower case; "*.…" for all below; "" for a network
	net  netip.Prefix // of addresses
	port string       // "" for any
}

// Parse reads a list.
func Parse(members []string) (List, error) {
	var l List
	for _, m := range members {
		r, err := parseRule(m)
		if err != nil {
			return nil, err
		}
		l = append(l, r)
	}
	return l, nil
}

func parseRule(text string) (r rule, err error) {
	r.host = strings.ToLower(strings.TrimSuffix(text, "."))
	if h, p, err := net.SplitHostPort(r.host); err == nil {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			return r, fmt.Errorf("%q: %q is no port", text, p)
		}
		r.host, r.port = h, p
	}
	r.host = strings.Trim(r.host, "[]")
	if p, err := netip.ParsePrefix(r.host); err == nil {
		r.host, r.net = "", p.Masked()
		return r, nil
	}
	if a, err := netip.ParseAddr(r.host); err == nil {
		r.host, r.net = "", netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		return r, nil
	}
	rest, _ := strings.CutPrefix(r.host, "*.")
	if rest == "" || strings.ContainsAny(rest, "*/:@? ") {
		return r, fmt.Errorf("%q is neither a host name, nor *.name, an address or a network, with a port or without one", text)
	}
	return r, nil
}

// checkURL says why a request must not go to an address.
func (l List) checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q is no http address", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("%q has a password in it", u.Redacted())
	case !l.names(u.Hostname(), port(u)):
		return fmt.Errorf("host %q is not allowed by the server's config", u.Host)
	}
	return nil
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// names reports whether a host is allowed as it is written.
func (l List) names(host, port string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	addr, err := netip.ParseAddr(host)
	if err == nil {
		return l.holds(addr, port)
	}
	for _, r := range l {
		below, isPattern := strings.CutPrefix(r.host, "*")
		if r.host != "" && (r.port == "" || r.port == port) &&
			(r.host == host || isPattern && strings.HasSuffix(host, below) && len(host) > len(below)) {
			return true
		}
	}
	return false
}

// holds reports whether an address is allowed as an address.
func (l List) holds(addr netip.Addr, port string) bool {
	for _, r := range l {
		if r.net.IsValid() && r.net.Contains(addr.Unmap()) && (r.port == "" || r.port == port) {
			return true
		}
	}
	return false
}

// dials reports whether a connection to an address may be made, which a name that is allowed has led to.
func (l List) dials(addr netip.Addr, port string) bool {
	return !special(addr.Unmap()) || l.holds(addr, port)
}

// special reports whether an address is one that no name should lead to: what listens there trusts whoever can reach it.
func special(a netip.Addr) bool {
	if a.Is6() && translated.Contains(a) { // of IPv4, by a translator
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsInterfaceLocalMulticast() ||
		zero.Contains(a) || a == metadata4 || a == metadata6
}

// Addresses under which clouds give out secrets beside the link-local 169.254.169.254, and the prefix of NAT64.
var (
	metadata4  = netip.AddrFrom4([4]byte{100, 100, 100, 200})
	metadata6  = netip.MustParseAddr("fd00:ec2::254")
	translated = netip.MustParsePrefix("64:ff9b::/96")
	zero       = netip.MustParsePrefix("0.0.0.0/8")
)
