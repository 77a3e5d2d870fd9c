package libagent

import (
	"math/rand/v2"
	"time"
)

// lasting is how long a connection must have stood for the next loss to begin again at the first step.
const lasting = 10 * time.Second

// backoff says how long to wait before the next attempt to connect: after the loss of an established connection a second
// and a part of the spread, so that a fleet does not come back in one second, and then 2 s, 4 s, 4 s, each ±25 %.
type backoff struct {
	spread time.Duration
	step   int // attempts that failed since the last connection that lasted
	lost   bool
}

// lose notes that an established connection has ended after having stood for d.
func (b *backoff) lose(d time.Duration) {
	b.lost = true
	if d >= lasting {
		b.step = 0
	}
}

// next returns how long to wait now, and takes the next step.
func (b *backoff) next() time.Duration {
	d := min(time.Second<<min(b.step, 2), 4*time.Second)
	first := b.step == 0
	b.step++
	lost := b.lost
	b.lost = false
	if first && lost {
		return d + part(b.spread)
	}
	return d*3/4 + part(d/2)
}

// part returns a random part of d.
func part(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}
