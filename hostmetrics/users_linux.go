package hostmetrics

import (
	"bytes"
	"context"
	"strings"
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

// userNames returns the names of accounts by their numbers, the first of each.
func (c *Collector) userNames(context.Context) (map[string]string, error) {
	names := make(map[string]string)
	var f files
	text, err := f.read(c.path("etc/passwd"))
	for _, u := range parsePasswd(text) {
		if _, ok := names[u.ID]; !ok {
			names[u.ID] = u.Name
		}
	}
	return names, err
}
