// Package libagent is the SDK for host agents: programs that sit on every machine of a fleet, do what a server asks and
// report back.
//
// An author writes an [App]: a name, a version, a config struct with its defaults, and Setup, which registers what the
// agent answers ([Handle], [HandleStream], [HandleNotice]) and what it does on its own ([Agent.Every], [Agent.Go], [Emit]). [Main] makes
// a program of it: config file, logging, resource limits, the connection with handshake and reconnect, the monitor
// report, signals, commands and exit codes. [Run] is the same for a test or for a program of one's own.
//
//	type conf struct {
//		libagent.Config `kv:"basic"`
//		Greeting        string `kv:"greeting"`
//	}
//
//	type app struct{}
//
//	func (app) Name() string                 { return "hello-agent" }
//	func (app) Version() string              { return "1.0.0" }
//	func (app) NewConfig() libagent.Settings { return &conf{Greeting: "hello"} }
//	func (app) Setup(ag *libagent.Agent) error {
//		libagent.Handle(ag, wire.Foo, func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil })
//		return nil
//	}
//
//	func main() { libagent.Main(app{}) }
//
// Whatever the server sends, the agent lives and comes back: a handler runs on a goroutine of its own, its panic is
// logged and answered as an error, and a request that cannot be understood is answered with what is wrong with it.
package libagent
