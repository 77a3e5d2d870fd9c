package wire

// Trait says how an agent carries a message that nobody asked for, and of a request what it does. Without any, a message of an
// agent is durable: it is kept, in order with the others and over restarts if the agent has a folder for that, until the server
// has it; and one of a server is an order, which is in its audit log.
type Trait uint8

const (
	// Newest is for a message that tells of now: while it waits, the next one of its kind takes its place.
	Newest Trait = iota + 1
	// Connected is for a message that makes sense only while the agent is connected: it does not wait for a connection.
	Connected
	// Urgent lets a message go before what may wait: before reports, output and files, never before other urgent ones.
	Urgent
	// Query is for a request that only asks, and changes nothing on the agent's host: a server keeps no record of it.
	Query
)

// String returns the name of the constant.
func (t Trait) String() string {
	switch t {
	case Newest:
		return "Newest"
	case Connected:
		return "Connected"
	case Urgent:
		return "Urgent"
	case Query:
		return "Query"
	}
	return "none"
}
