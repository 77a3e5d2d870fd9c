package server

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/tokens"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// rootName is the name of the token in api.token_file.
const rootName = "api.token"

// guard lets a request of the API pass, or says with which status and words it is refused.
type guard struct {
	root   *rootToken
	tokens *tokens.Store
	hosts  []string // names besides IP addresses and localhost, in lower case
	rate   int      // requests a second of one token

	mu    sync.Mutex            // guards the field below
	rates map[string]*admission // by id of a token
}

func newGuard(root *rootToken, store *tokens.Store, hosts []string, rate int) *guard {
	g := &guard{root: root, tokens: store, rate: rate, rates: make(map[string]*admission)}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(strings.TrimSuffix(h, ".")))
	}
	return g
}

// errNoToken is all that a stranger learns.
var errNoToken = rest.Errorf(http.StatusUnauthorized, "a valid bearer token is needed")

// check returns who asks if the request may pass. Why is for the audit log: a stranger learns only the refusal.
func (g *guard) check(r *http.Request) (p *Principal, refusal *rest.Error, why string) {
	if !g.hostAllowed(r.Host) {
		return nil, rest.Errorf(http.StatusForbidden, "this host name is not in api.hosts"), "foreign host"
	}
	if o := r.Header.Get("Origin"); o != "" && !sameOrigin(o, r.Host) {
		return nil, rest.Errorf(http.StatusForbidden, "requests from other web pages are refused"), "foreign origin"
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, errNoToken, "no token"
	}
	secret = strings.TrimSpace(secret)
	if g.root.matches(secret) {
		p = &Principal{Name: rootName, Role: RoleAdmin, From: r.RemoteAddr}
		return p, g.limit("", g.rate), "rate"
	}
	t, err := g.tokens.API(secret, time.Now())
	if err != nil {
		return nil, errNoToken, tokenError(t, err).Error()
	}
	role, ok := roleNamed(t.Role)
	if !ok {
		return nil, errNoToken, "the token has no role"
	}
	rate := g.rate
	if t.Rate > 0 {
		rate = t.Rate
	}
	p = &Principal{Name: t.Name, Role: role, From: r.RemoteAddr, Agents: t.Agents, Types: t.Types}
	return p, g.limit(t.ID, rate), "rate"
}

// limit says whether a token has made too many requests.
func (g *guard) limit(id string, rate int) *rest.Error {
	if rate <= 0 {
		return nil
	}
	g.mu.Lock()
	a := g.rates[id]
	if a == nil {
		a = newAdmission(rate)
		g.rates[id] = a
	}
	g.mu.Unlock()
	if wait, ok := a.admit(time.Now()); !ok {
		return &rest.Error{Code: http.StatusTooManyRequests, Msg: "too many requests with this token: come again in " +
			strconv.Itoa(retrySeconds(wait)) + " s"}
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

// admits says why a request that has passed the guard is not for this caller: here the role of every route is looked at.
func (a *api) admits(p *Principal, r *http.Request, pattern string) *rest.Error {
	need, known := a.roles[pattern]
	if !known {
		return nil // there is nothing, which whoever has a token may know
	}
	if p.Role < need {
		return rest.Errorf(http.StatusForbidden, "this call needs a token with the role %s", need)
	}
	types := a.bodies[pattern]
	if r.ContentLength == 0 || types == nil {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(types, kind) {
		return rest.Errorf(http.StatusUnsupportedMediaType, "the content type must be %s", strings.Join(types, " or "))
	}
	return nil
}

// changes reports whether a request has something done. Who only looks, as an admin at the audit log, changes nothing.
func (a *api) changes(r *http.Request, pattern string) bool {
	need, known := a.roles[pattern]
	return known && (need == RoleOperate || !isRead(r))
}
