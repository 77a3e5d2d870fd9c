// Package conn is one connection between an agent and a server: a WebSocket with deadlines, limits and priorities. Both
// ends use it; an agent gets one from [Dialer.Dial], a server from [Upgrade].
//
// One goroutine receives with [Conn.Receive]. Any number may [Conn.Send]: a send returns when the kernel has taken every
// byte, so the caller may reuse its buffers, and a caller that wants less waiting sends several frames in one call. A
// frame of the [Control] lane overtakes all waiting frames of the [Bulk] lane.
//
// Whatever is read from the peer counts as a sign of life. A peer that says nothing for [Options.IdleTimeout] is gone,
// and so is one that takes no bytes for [Options.WriteTimeout]; nobody waits longer. A slow peer that moves is not cut
// off.
//
// A peer that sends too much, what is not UTF-8, or what is no WebSocket is told so in a close frame before the connection
// ends. A message that is no frame of the protocol harms nothing but itself.
//
// An idle connection costs its socket, 257 bytes of read buffer and the goroutine that receives, less than 8 kB together:
// buffers for messages and for writing are borrowed while they are needed. A server of very many waits with [Conn.Await], on a
// goroutine that does nothing else, and has another one take what comes with [Conn.Poll]: less than 6 kB.
package conn
