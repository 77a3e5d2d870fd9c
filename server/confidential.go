package server

import (
	"context"
	"net/http"
)

// Confidential reports whether nobody has read a request on the way to the API: passwords are taken from no other one.
func Confidential(r *http.Request) bool { return r.TLS != nil || isLoopback(r.RemoteAddr) }

// Sees reports whether the caller in whose context this is may see an agent, also one that is not connected.
func Sees(ctx context.Context, a Agent) bool {
	sees := scope(ctx)
	return sees == nil || sees(&a)
}
