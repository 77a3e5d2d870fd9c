// Package server is the agent-server: it keeps the connections of a fleet of agents, and lets people and programs reach
// them through an HTTP API and Prometheus metrics.
//
// [New] makes a server from a [Config] and [Server.Run] runs it until its context ends. There are two listeners: agents
// connect to /ws/agent on [Config.Listen]; the API is on [APIConfig.Listen] and wants a bearer token. Both can be mounted
// on servers of your own instead, see [Server.AgentHandler] and [Server.APIHandler].
//
// Whoever has messages of his own declares them with package wire, and reaches agents through a [Fleet], which a
// [*Server] is:
//
//	pong, err := server.Call(ctx, srv, "host-17", ping, pingPayload{})   // a request and its reply
//	err = server.Send(ctx, srv, "host-17", reload, wire.Empty{})         // a message without a reply
//	server.Receive(srv, report, func(ctx context.Context, a server.Agent, p reportPayload) error { … })
//
// What agents of this framework say of their own accord is in a journal on the disk before it is acknowledged. Whoever must not
// miss any of it reads that, at least once and at his own pace:
//
//	err := server.Consume(srv, "alarms", alarm, func(ctx context.Context, e server.Entry, p alarmPayload) error { … })
//
// An idle agent costs one goroutine and a few kilobytes. Everything that an agent sends is taken for hostile: frames are
// bounded, what cannot be read is counted and dropped, and nothing that one agent does makes another one wait.
package server
