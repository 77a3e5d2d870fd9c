package hostmetrics

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"time"
)

// maxUsers is how many accounts are reported.
const maxUsers = 4096

// readUsers lists the accounts of the machine itself; those of a directory are not asked for.
func (c *Collector) readUsers(context.Context) (func(*Static), error) {
	var f files
	text, err := f.read(c.path("etc/passwd"))
	if err != nil {
		return nil, err
	}
	list := parsePasswd(text)
	return func(s *Static) { s.Users = list[:min(len(list), maxUsers)] }, nil
}

// parsePasswd reads lines of name:password:uid:gid and more.
func parsePasswd(text []byte) []User {
	var list []User
	for line := range bytes.Lines(text) {
		w := strings.SplitN(string(line), ":", 5)
		if len(w) == 5 && w[0] != "" && !strings.ContainsAny(w[0][:1], "#+-") {
			list = append(list, User{clip(w[0], maxName), clip(w[2], 10), clip(w[3], 10)})
		}
	}
	return list
}

// passwd knows names of accounts. The file is read again when it has changed.
type passwd struct {
	mu      sync.Mutex // guards what follows
	changed time.Time
	names   map[string]string // by uid
}

// names returns the names of accounts by their uids, which must not be changed.
func (c *Collector) userNames() map[string]string {
	p := &c.platform.passwd
	p.mu.Lock()
	defer p.mu.Unlock()
	file := c.path("etc/passwd")
	st, err := os.Stat(file)
	if err != nil || st.ModTime().Equal(p.changed) {
		return p.names
	}
	var f files
	text, err := f.read(file)
	if err != nil {
		return p.names
	}
	p.changed, p.names = st.ModTime(), make(map[string]string)
	for _, u := range parsePasswd(text) {
		if _, ok := p.names[u.ID]; !ok {
			p.names[u.ID] = u.Name
		}
	}
	return p.names
}
