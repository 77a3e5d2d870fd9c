package wire

// Type is the number of a message on the wire.
type Type int

// FirstExtension and FirstCustom divide the numbers: below FirstExtension is the protocol of the field, from
// FirstExtension on what two ends of this framework negotiate in come and handshake, and from FirstCustom on what
// belongs to the authors of agents.
const (
	FirstExtension Type = 20000
	FirstCustom    Type = 30000
)

// Empty is the payload of a message that has none.
type Empty struct{}

// Message is the declaration of one message: its number, its name in errors and logs, the field of its payload and
// the type of that payload. It is immutable and safe for concurrent use.
type Message[T any] struct {
	typ   Type
	name  string
	field string
}

// Define declares a message. The field is the name of the payload in the envelope, "" for a message without one (T is
// then [Empty]).
func Define[T any](t Type, name, field string) *Message[T] {
	return &Message[T]{typ: t, name: name, field: field}
}

// Type returns the number of the message.
func (m *Message[T]) Type() Type { return m.typ }

// Name returns the name of the message for errors and logs.
func (m *Message[T]) Name() string { return m.name }

// Call is a request and the one message that answers it.
type Call[Q, R any] struct {
	Request *Message[Q]
	Reply   *Message[R]
}
