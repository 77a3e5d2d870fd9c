package agenttest

import (
	"context"
	"fmt"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// streamID names a stream of an agent's outbox, on whichever connection.
type streamID struct {
	lane int
	run  string
}

// noted does what a server with a journal does with a message: it acknowledges it. It returns the message as the agent emitted
// it, nil for one that came before and for what only outboxes and journals speak of.
func (s *Session) noted(f *wire.Frame) (*wire.Frame, error) {
	if s.streams == nil {
		return f, nil
	}
	switch f.Type {
	case wire.OutOpen.Type():
		return nil, s.opened(f)
	case wire.OutGap.Type():
		g, err := wire.OutGap.Decode(f)
		if err != nil {
			return nil, err
		}
		if _, err := s.advance(g.Handle, g.From, wire.OutCursor{Seq: g.To}); err != nil {
			return nil, err
		}
		return f, nil // a test may wait for it
	}
	p, placed := f.Place()
	if !placed {
		return f, nil
	}
	bare := f.AppendUnplaced(nil)
	fresh, err := s.advance(p.Handle, p.Seq, wire.OutCursor{Seq: p.Seq, Sum: wire.Sum(p.At, bare)})
	if !fresh || err != nil {
		return nil, err
	}
	return wire.Parse(bare)
}

// opened answers up to where the server has the streams of an agent.
func (s *Session) opened(f *wire.Frame) error {
	open, err := wire.OutOpen.Decode(f)
	if err != nil {
		return err
	}
	var answer wire.OutOpenedPayload
	s.server.state.change(func() {
		for _, o := range open.Streams {
			id := streamID{o.Lane, o.Run}
			c, known := s.server.cursors[id]
			if !known {
				c.Seq = o.First - 1
				s.server.cursors[id] = c
			}
			s.streams[o.Handle] = id
			c.Handle = o.Handle
			answer.Streams = append(answer.Streams, c)
		}
	})
	return tell(s, wire.OutOpened, answer)
}

// advance moves the cursor of a stream on, over the messages from one sequence to that of c, and acknowledges them. It is false
// when the server had them.
func (s *Session) advance(handle, from uint64, c wire.OutCursor) (fresh bool, err error) {
	id, known := s.streams[handle]
	if !known {
		return false, fmt.Errorf("message %d of stream %d, which is not open", from, handle)
	}
	s.server.state.change(func() {
		switch last := s.server.cursors[id].Seq; {
		case c.Seq <= last:
		case from > last+1:
			err = fmt.Errorf("message %d of stream %s comes after %d", from, id.run, last)
		default:
			fresh = true
			s.server.cursors[id] = c
		}
	})
	if err != nil {
		return false, err
	}
	return fresh, tell(s, wire.OutAck, wire.OutAckPayload{Acks: []wire.OutSeq{{Handle: handle, Seq: c.Seq}}})
}

// tell sends what belongs to no task.
func tell[T any](s *Session, m *wire.Message[T], v T) error {
	b, err := m.Append(nil, "", &v)
	if err != nil {
		return err
	}
	return s.conn.Send(context.Background(), conn.Control, b)
}
