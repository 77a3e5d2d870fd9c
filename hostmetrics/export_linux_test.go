package hostmetrics

// Sockets counts the sockets of a datagram, as such of the network and as such of Unix domains.
func Sockets(datagram []byte) (n int, err error) {
	_, err = messages(datagram, func(m []byte) bool {
		if _, ok := parseInet(m, "tcp4"); ok {
			n++
		}
		if _, ok := parseUnix(m); ok {
			n++
		}
		return true
	})
	return n, err
}
