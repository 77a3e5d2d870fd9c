package outboxmodel_test

// frame is one message of the extension. Which of them a frame is, its kind says.
type frame struct {
	kind string // up: open, message, gap; down: handshake, opened, ack, lost
	stream
	from, to int     // message: its sequence twice. gap: a range. open: the first. opened, ack: the last that is in the journal
	msg      message // message: what is said. opened: what the journal has in this place
	acks     bool    // handshake: the server speaks the extension
}

// conn is one connection: a queue for each lane of the agent, and one for the server.
type conn struct {
	agent  *agent
	shaken bool           // the agent has the handshake
	acks   bool           // and it said this
	gone   bool           // the agent has left; what is in flight may still arrive
	dead   bool           // the server has left
	told   map[stream]int // the server: what it has acknowledged here
	up     [lanes][]frame
	down   []frame
}

// cut leaves a connection. Of what is in flight some is lost, and always what was sent last.
func (c *conn) cut(pick func(int) int) {
	c.gone = true
	c.down = nil
	for l := range c.up {
		c.up[l] = c.up[l][:pick(len(c.up[l])+1)]
	}
}

func (c *conn) say(f frame) {
	if !c.gone && !c.dead {
		c.down = append(c.down, f)
	}
}
