package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/server/rest"
)

// guard lets a request of the API pass, or says with which status and words it is refused.
type guard struct {
	token token
	hosts []string // names besides IP addresses and localhost, in lower case
}

func newGuard(t token, hosts []string) *guard {
	g := &guard{token: t}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(strings.TrimSuffix(h, ".")))
	}
	return g
}

// check returns nil if the request may pass.
func (g *guard) check(r *http.Request) *rest.Error {
	if !g.hostAllowed(r.Host) {
		return &rest.Error{Code: http.StatusForbidden, Msg: "this host name is not in api.hosts"}
	}
	if o := r.Header.Get("Origin"); o != "" && !sameOrigin(o, r.Host) {
		return &rest.Error{Code: http.StatusForbidden, Msg: "requests from other web pages are refused"}
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || !g.token.matches(strings.TrimSpace(secret)) {
		return &rest.Error{Code: http.StatusUnauthorized, Msg: "a valid bearer token is needed"}
	}
	return nil
}

// hostAllowed reports whether a Host header names this server: by address, as localhost, or by a name that was
// configured. Any other name may be one that a web page had pointed here (DNS rebinding).
func (g *guard) hostAllowed(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || slices.Contains(g.hosts, host)
}

// sameOrigin reports whether an Origin header names the host that is asked.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
