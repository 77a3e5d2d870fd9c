package libagent

import (
	"fmt"
	"strings"
)

// allowedRedirect returns the first of the addresses that the config allows the agent to go to. Whoever the agent goes
// to owns its host, so a server alone cannot decide that.
func (ag *Agent) allowedRedirect(addrs []string) (string, error) {
	c := ag.basic()
	for _, a := range addrs {
		addr, err := serverAddr(a)
		if err != nil {
			continue
		}
		host, _, _ := splitServer(addr)
		for _, s := range c.Server {
			own, _, _ := splitServer(s)
			if strings.EqualFold(own, host) {
				return addr, nil
			}
		}
		for _, pattern := range c.Redirect.Allow {
			if matchHost(pattern, host) {
				return addr, nil
			}
		}
	}
	return "", fmt.Errorf("redirect to %s refused: no host of server or redirect.allow", clip(fmt.Sprintf("%q", addrs), maxPeerText))
}

// matchHost tells whether a host is the pattern, or below it if that is as *.example.com.
func matchHost(pattern, host string) bool {
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok && strings.HasPrefix(suffix, ".") {
		return len(host) > len(suffix) && strings.EqualFold(host[len(host)-len(suffix):], suffix)
	}
	return strings.EqualFold(pattern, host)
}
