package libagent

import (
	"fmt"
	"strings"

	"github.com/jkstack/jkframe/v2/wire"
)

// adopt takes the id that the server says the agent has, and writes it into the config file if that is where the id
// comes from. A file that cannot be written is no reason not to work: the id is kept in memory then.
func (ag *Agent) adopt(id, server string) error {
	own := ag.ID()
	if id == "" {
		id = own // old servers leave it out when they agree
	}
	if id == "" {
		return &HandshakeError{server, fmt.Errorf("the agent has no id and got none")}
	}
	if id == own {
		return nil
	}
	if err := wire.CheckID(id); err != nil {
		return &HandshakeError{server, fmt.Errorf("assigned an id that is none: %w", err)}
	}
	ag.mu.Lock()
	ag.status.ID = id
	ag.mu.Unlock()
	ag.log.Info("the server assigned an id", "id", id, "before", own)
	if ag.file == "" {
		return nil
	}
	key := section + ".id"
	if raw := ag.source.raw(key); strings.Contains(raw, "$") {
		ag.log.Warn("id not written into the config: it is a variable there", "id", id, "config", ag.file, "value", raw)
		return nil
	}
	if ag.source.flat {
		key = "id"
	}
	if err := writeSetting(ag.file, key, id); err != nil {
		ag.log.Warn("id not written into the config, and kept in memory", "id", id, "config", ag.file, "error", err)
	}
	return nil
}
