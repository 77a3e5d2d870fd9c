// Package agenttest runs an agent against a server inside a test: over connections in memory, so that in a bubble of
// testing/synctest an hour of reconnects takes milliseconds and every run is the same. It works outside of a bubble too.
//
//	func TestFoo(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			srv := agenttest.NewServer(t, nil)
//			srv.Start(app{}, nil)
//			s := srv.Accept()
//			if _, err := agenttest.Call(s, wire.Foo, wire.Empty{}); err != nil {
//				t.Error(err)
//			}
//			s.Drop()
//			srv.Accept() // the agent comes back
//		})
//	}
//
// The server takes every agent, and gives an id to those that have none; [Server.Refuse], [Server.Redirect],
// [Server.Respond], [Server.Down] and [Server.Freeze] make it a worse one. A [Session] is one connection of an agent, to
// send requests over, wait for messages, and drop or freeze it.
//
// What a test waits for, it waits for [Options.Patience] at most, and then fails with what came instead: in a bubble the
// heartbeats of an agent let time go on for ever. Agent and server end with the test, agents first. Whatever can fail the
// test is to be called by its goroutine.
package agenttest
