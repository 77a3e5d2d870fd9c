package manifest

import (
	"net/netip"
	"strings"
)

// checkAddress says what is wrong with a network address: host:port, where host is an IPv4 address, an IPv6 address in
// brackets, perhaps with a zone, a host name, or $NAME of the environment, and port is 1 to 65535.
func checkAddress(text string) *problem {
	bad := func(en, zh string, args ...any) *problem {
		t := both(en, zh, args...)
		return wrong(ruleDefaultAddress, "%q is not host:port: %s", "%q不是host:port格式：%s", clip(text), t)
	}
	if strings.Contains(text, "://") {
		return bad("it is a URL", "这是URL")
	}
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 || strings.HasSuffix(text, "]") {
		return bad("the port is missing", "缺少端口")
	}
	host, port := text[:colon], text[colon+1:]
	if !isPort(port) {
		return bad("the port %q is not 1 to 65535", "端口%q不在1到65535之间", clip(port))
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		if addr, err := netip.ParseAddr(inner); !closed || err != nil || !addr.Is6() {
			return bad("%q is not an IPv6 address in brackets", "%q不是方括号中的IPv6地址", clip(host))
		}
		return nil
	}
	switch {
	case host == "":
		return bad("the host is missing", "缺少主机")
	case strings.Contains(host, ":"):
		return bad("an IPv6 address stands in brackets", "IPv6地址需要用方括号括起来")
	case host[0] == '$':
		if !isVariableName(host[1:]) {
			return bad("%q is not the name of a variable", "%q不是变量名", clip(host))
		}
	case !isHost(host):
		return bad("%q is neither an IPv4 address nor a host name", "%q不是IPv4地址或主机名", clip(host))
	}
	return nil
}

func isPort(s string) bool {
	if s == "" || len(s) > 5 || s[0] == '0' || digitsIn(s) != len(s) {
		return false
	}
	n := 0
	for _, c := range []byte(s) {
		n = 10*n + int(c-'0')
	}
	return n <= 65535
}

// isVariableName reports whether s is NAME or {NAME}.
func isVariableName(s string) bool {
	if inner, ok := strings.CutPrefix(s, "{"); ok {
		if s, ok = strings.CutSuffix(inner, "}"); !ok {
			return false
		}
	}
	for i, c := range []byte(s) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// isHost reports whether s is an IPv4 address or a host name. Names with an underscore are in use in container networks.
func isHost(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	// A name whose last label is a number would be taken for an address.
	if last := labels[len(labels)-1]; digitsIn(last) == len(last) {
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.Is4()
	}
	return true
}
