package libagent

import (
	"context"
	"fmt"
)

// OnConnect is Connecter for a part of an agent: fn runs on a goroutine of its own when a connection stands; ctx ends with the
// connection, and so should it.
//
// To be called in Setup.
func (ag *Agent) OnConnect(fn func(ctx context.Context)) {
	ag.beforeStart("OnConnect")
	ag.onConnect = append(ag.onConnect, fn)
}

// tellConnected calls what wants to know of a connection that stands.
func (ag *Agent) tellConnected(ctx context.Context) {
	if a, ok := ag.app.(Connecter); ok {
		ag.callback("Connected", func() { a.Connected(ctx, ag) })
	}
	for i, fn := range ag.onConnect {
		ag.callback(fmt.Sprintf("OnConnect %d", i+1), func() { fn(ctx) })
	}
}
