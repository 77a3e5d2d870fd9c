package libagent

import (
	"fmt"

	"github.com/jkstack/jkframe/v2/wire"
)

// declaration is what a message was declared as, beside its number.
type declaration struct{ name, field string }

// checkNumber refuses an author's own message with a number that is the protocol's: a server would take it for something
// else.
func checkNumber(t wire.Type, name string) error {
	if t >= wire.FirstCustom || t.Name() == name {
		return nil
	}
	if known := t.Name(); known != "" {
		return fmt.Errorf("message %s has the number %d, which is that of %s: an author's own begin at %d", name, t, known, wire.FirstCustom)
	}
	return fmt.Errorf("message %s has the number %d, which belongs to the protocol: an author's own begin at %d", name, t, wire.FirstCustom)
}

// declare notes a message that a handler takes or answers. Two messages with one number are a mistake of the author.
func (ag *Agent) declare(t wire.Type, name, field string) {
	if err := checkNumber(t, name); err != nil {
		ag.setupError(err)
		return
	}
	d := declaration{name, field}
	if other, ok := ag.declared[t]; ok && other != d {
		ag.setupError(fmt.Errorf("messages %s and %s have the same number, %d", other.name, name, t))
		return
	}
	ag.declared[t] = d
}
