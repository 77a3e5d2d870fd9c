// Package wire declares the messages that agents and servers exchange, and turns them into JSON frames and back.
//
// Each message is declared once, as a value that carries its number, the field that holds its payload and the Go type of
// that payload; both ends use the same declaration. A message with one reply is a [Call]. Authors declare messages of
// their own with numbers from [FirstCustom] on:
//
//	var Ping = wire.Define[PingPayload](30000, "ping", "ping")
//
// [Parse] checks a whole frame (syntax, UTF-8, depth, duplicate names) and splits it into its envelope; [Message.Decode]
// turns the payload into the declared type, and [Message.Append] writes a frame to a buffer that the caller reuses.
// Unknown fields and unknown types are no errors: that is how the protocol grows. Whatever a peer sends, the worst that
// comes of it is an [*Error] that names the message and the field, and no more memory is taken than a small multiple of
// the frame.
//
// What each end writes is what the peers of the field understand: times are RFC 3339, durations are nanoseconds, file
// modes are Go's bits, an MD5 is an array of 16 numbers, and [Float2] has two decimals.
//
// The package needs nothing but the standard library.
package wire
