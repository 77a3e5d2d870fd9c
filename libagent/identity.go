package libagent

import (
	"fmt"
	"strings"

	"github.com/jkstack/jkframe/v2/wire"
)

// adopt takes the id that the server says the agent has, and writes it into the config file if that has none: an id of the
// operator's stays there. A file that cannot be written is no reason not to work: the id is kept in memory then.
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
	if ag.identity.Load() != nil {
		return &HandshakeError{server, fmt.Errorf("assigned the id %q to an agent that is enrolled", id)}
	}
	if err := wire.CheckID(id); err != nil {
		return &HandshakeError{server, fmt.Errorf("assigned an id that is none: %w", err)}
	}
	if strings.Contains(id, "$") {
		// In the file it would be a variable, and show the server what is in the agent's environment.
		return &HandshakeError{server, fmt.Errorf("assigned the id %q, which holds a $", id)}
	}
	ag.mu.Lock()
	ag.id = id
	ag.mu.Unlock()
	ag.log.Info("the server assigned an id", "id", id, "before", own)
	if ag.file == "" {
		return nil
	}
	if err := ag.editFile(func() error { return keepID(ag.file, id) }); err != nil {
		ag.log.Warn("id not written into the config, and kept in memory", "id", id, "config", ag.file, "error", err)
	}
	return nil
}

// keepID writes an id into a config file that has none. The file may have been changed since it was loaded.
func keepID(file, id string) error {
	src, err := readSource(file)
	if err != nil {
		return err
	}
	key := section + ".id"
	if raw := src.raw(key); raw != "" {
		return fmt.Errorf("it has the id %q", raw)
	}
	if src.flat {
		key = "id"
	}
	return writeSetting(file, key, id)
}
