package server

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// Entry is one entry of the journal: a message that an agent has sent of its own accord, or that some will not come.
type Entry struct {
	Offset uint64    // where it stands in the journal; grows
	ID     string    // names the message for ever; the same when it is given again
	Agent  string    // id of the agent that has sent it
	At     time.Time // when the agent accepted it, by the agent's clock; when it came, if the agent keeps no messages
	Type   wire.Type
	Frame  []byte // as JSON; it must not be changed, and may be kept

	// Missing says how many messages of the agent will not come, and Why: wire.GapFull, wire.GapGone … or what a newer agent
	// says. Such an entry has no frame and no type.
	Missing uint64
	Why     string
}

// Decode returns the payload of a message of the journal.
func Decode[T any](e Entry, m *wire.Message[T]) (T, error) {
	f, err := wire.Parse(e.Frame)
	if err != nil {
		var none T
		return none, err
	}
	return m.Decode(f)
}

// Sink takes what comes into the journal, for good.
type Sink interface {
	// Take gets the next entries, in the order of the journal; those of one agent's lane are in the order in which it sent
	// them. Nil means that it needs none of them again. After an error, or when the server ends before it has noted what was
	// taken, the same come again, perhaps together with others: an entry's ID tells that it did. Take is called by one
	// goroutine at a time, may take as long as it likes, and must return when ctx is done.
	Take(ctx context.Context, entries []Entry) error
}

// Consumer limits, and how entries are given to a sink.
const (
	batchEntries = 512
	batchBytes   = 1 << 20
	maxConsumers = 64
	firstRetry   = time.Second
	longestRetry = 30 * time.Second
)

// consumerName is how a sink may be called: the name is that of a file.
var consumerName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Attach has a sink get what is in the journal and what will come, save for what it has taken before: the server notes
// under its name how far it is. A name is 1 to 64 of a-z, 0-9, - and _. With types, the sink gets only messages of these, and what
// is missing; messages of these types that agents send without keeping them are put into the journal for it as well. A sink that
// has a new name begins with the oldest entry that there is.
//
// Sinks do not wait for each other. The journal keeps what a sink has not taken; when one is so far behind that the journal is
// full, agents keep their messages until there is room again. To be called before [Server.Run].
func Attach(r Receiver, name string, sink Sink, types ...wire.Type) error {
	s := r.receiver()
	if !consumerName.MatchString(name) {
		return fmt.Errorf("attach %q: a name is 1 to 64 of a-z, 0-9, - and _", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.journal
	switch {
	case s.started:
		return fmt.Errorf("attach %q: %w", name, errRunTwice)
	case slices.ContainsFunc(j.consumers, func(c *consumer) bool { return c.name == name }):
		return fmt.Errorf("attach %q: there is one of this name", name)
	case len(j.consumers) == maxConsumers:
		return fmt.Errorf("attach %q: there are %d already", name, maxConsumers)
	}
	j.consumers = append(j.consumers, &consumer{name: name, sink: sink, types: slices.Clone(types), journal: j})
	for _, t := range types {
		j.wanted[t] = true
	}
	return nil
}

// Consume has a function called for each message of a kind that comes into the journal, one after the other, as [Attach]
// does. While it returns an error, the same message is given to it again, after 1 s, later after 30 s. A message whose payload is
// not what was declared is logged and passed over.
func Consume[T any](r Receiver, name string, m *wire.Message[T], f func(ctx context.Context, e Entry, v T) error) error {
	return Attach(r, name, &eachOf[T]{s: r.receiver(), message: m, f: f}, m.Type())
}

// eachOf is the sink of Consume.
type eachOf[T any] struct {
	s       *Server
	message *wire.Message[T]
	f       func(ctx context.Context, e Entry, v T) error
	done    uint64 // offset of the last entry that the function has taken
}

func (c *eachOf[T]) Take(ctx context.Context, entries []Entry) error {
	for _, e := range entries {
		if e.Offset <= c.done || e.Missing > 0 {
			continue
		}
		v, err := Decode(e, c.message)
		if err != nil {
			c.s.journalBad(e, err)
			continue
		}
		if err := c.f(ctx, e, v); err != nil {
			return err
		}
		c.done = e.Offset
	}
	return nil
}
