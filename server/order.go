package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/wire"
)

// ErrPlaintext means that an order holds a password, and the connection of the agent is not encrypted.
var ErrPlaintext = errors.New("passwords are sent only over TLS, or on the same host")

// ErrAudit means that an order was not sent, because it could not be written into the audit log.
var ErrAudit = errors.New("the audit log cannot be written, so nothing was done")

// order is a message to an agent that is in the audit log, nil for one that only asks.
type order struct {
	s     *Server
	entry audit.Entry
}

// deliver sends a frame to an agent. All that is sent to agents goes through record, and an order is in the audit log, on the
// disk, before.
func (s *Server) deliver(ctx context.Context, sess *session, task string, frame []byte) (*order, error) {
	o, err := s.record(ctx, sess, task, frame)
	if err != nil {
		return nil, err
	}
	if err := sess.send(ctx, frame); err != nil {
		o.ended(err)
		return nil, err
	}
	return o, nil
}

// record writes an order down. It returns nil for a message that only asks.
func (s *Server) record(ctx context.Context, sess *session, task string, frame []byte) (*order, error) {
	if ctx.Value(queryKey{}) != nil {
		return nil, nil
	}
	o, secret, err := s.newOrder(ctx, sess.agent.ID, task, frame)
	if err != nil {
		return nil, err
	}
	if secret && !sess.agent.Secure {
		o.entry.Event, o.entry.Result = "order.refused", ErrPlaintext.Error()
		s.note(o.entry)
		return nil, ErrPlaintext
	}
	if err := o.write(ctx); err != nil {
		return nil, err
	}
	return o, nil
}

// newOrder describes what is sent to an agent, and says whether a password is in it.
func (s *Server) newOrder(ctx context.Context, agent, task string, frame []byte) (o *order, secret bool, err error) {
	f, err := wire.Parse(frame)
	if err != nil {
		return nil, false, err
	}
	detail, secret, err := describe(f)
	if err != nil {
		return nil, false, err
	}
	p, ok := PrincipalOf(ctx)
	if !ok {
		p.Name = "program"
	}
	return &order{s, audit.Entry{
		Event: "order", Actor: p.Name, From: p.From, Target: agent, What: f.Type.String(), Task: task, Detail: detail,
	}}, secret, nil
}

// write has an order on the disk, or on its way there if its caller asks later.
func (o *order) write(ctx context.Context) error {
	line, err := o.s.audit.Put(o.entry)
	if err != nil {
		return o.written(err)
	}
	flush := func() error { return o.written(errors.Join(line(), flushCall(ctx))) }
	l, ok := ctx.Value(lateKey{}).(*late)
	if !ok {
		return flush()
	}
	go func() { _ = line() }() // which ends by itself, and has an error for flush as well
	l.add(flush)
	return nil
}

// written says what it means when an order could not be written.
func (o *order) written(err error) error {
	if err == nil {
		return nil
	}
	o.s.faults.say("order not sent", errAttr(err))
	return ErrAudit
}

type callKey struct{}

// withCall returns a context whose orders go out when the line of the call that gives them is on the disk as well, which flush
// sees to.
func withCall(ctx context.Context, flush func() error) context.Context {
	return context.WithValue(ctx, callKey{}, flush)
}

// flushCall has the line of the call on the disk, unless it was before the call began.
func flushCall(ctx context.Context) error {
	if flush, ok := ctx.Value(callKey{}).(func() error); ok {
		return flush()
	}
	return nil
}

type lateKey struct{}

// late are orders that were sent while they still went to the disk.
type late struct {
	mu   sync.Mutex // guards the field below
	done []func() error
}

func (l *late) add(done func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = append(l.done, done)
}

// Late returns a context in which orders are sent while they still go into the audit log. It is for orders that come to nothing
// without a second word of who gives them, which he must not say before the function has returned: it waits until all that were sent
// are on the disk, and is [ErrAudit] if one is not.
func Late(ctx context.Context) (context.Context, func() error) {
	l := &late{}
	return context.WithValue(ctx, lateKey{}, l), func() error {
		l.mu.Lock()
		all := slices.Clone(l.done)
		l.mu.Unlock()
		for _, done := range all {
			if err := done(); err != nil {
				return err
			}
		}
		return nil
	}
}

// Record writes down, on the disk, an order that goes to an agent in another way than as a message of a [Fleet], and would have
// been this one. It must not be sent if that fails.
func (h *Host) Record(ctx context.Context, agent string, encode Encode) error {
	frame, err := encode(nil, "")
	if err != nil {
		return err
	}
	o, _, err := h.s.newOrder(ctx, agent, "", frame)
	if err != nil {
		return err
	}
	return o.write(ctx)
}

// ended writes down how an order has ended.
func (o *order) ended(err error) { o.result(nil, err) }

// answered writes down the last answer to an order. Of a file that was sent while it came, only that says what it was.
func (o *order) answered(f *wire.Frame) {
	var detail map[string]any
	if f.Type == wire.Upload.Reply.Type() {
		if p, err := wire.Upload.Reply.Decode(f); err == nil && p.SHA256 != "" {
			detail = map[string]any{"size": p.Size, "sha256": p.SHA256}
		}
	}
	o.result(detail, nil)
}

func (o *order) result(detail map[string]any, err error) {
	if o == nil {
		return
	}
	e := o.entry
	e.Event, e.Detail, e.Result = "result", detail, "ok"
	if err != nil {
		e.Result = clip(err.Error(), maxErrorText)
	}
	o.s.note(e)
}

// describe returns what the audit log says of an order, without its secrets, and whether it has a password.
func describe(f *wire.Frame) (detail map[string]any, password bool, err error) {
	switch f.Type {
	case wire.Exec.Type():
		p, err := wire.Exec.Decode(f)
		return map[string]any{
			"cmd": hideSecrets(p.Cmd), "args": hideArgs(p.Args), "auth": p.Auth, "user": p.User, "workdir": p.WorkDir,
			"env": names(p.Env), "timeout": p.Timeout, "stdin_bytes": len(p.Stdin),
		}, p.Pass != "", err
	case wire.ExecKill.Type():
		p, err := wire.ExecKill.Decode(f)
		return map[string]any{"pid": p.PID}, false, err
	case wire.Upload.Request.Type():
		p, err := wire.Upload.Request.Decode(f)
		return map[string]any{
			"dir": p.Dir, "name": p.Name, "auth": p.Auth, "user": p.User, "mode": p.Mode.String(), "own_user": p.OwnUser,
			"own_group": p.OwnGroup, "size": p.Size, "md5": fmt.Sprintf("%x", p.MD5), "sha256": p.SHA256, "grows": p.Grows,
		}, p.Pass != "", err
	case wire.Download.Type():
		p, err := wire.Download.Decode(f)
		return map[string]any{"file": p.Dir}, false, err
	case wire.Install.Type():
		p, err := wire.Install.Decode(f)
		return map[string]any{
			"uri": p.URI, "url": hideSecrets(p.URL), "dir": p.Dir, "auth": p.Auth, "user": p.User, "files": len(p.Files),
		}, p.Pass != "", err
	case wire.LogDownload.Type():
		p, err := wire.LogDownload.Decode(f)
		return map[string]any{"files": p.Files}, false, err
	case wire.ChangeCollect.Type():
		p, err := wire.ChangeCollect.Decode(f)
		return map[string]any{"jobs": p.Jobs}, false, err
	}
	// What an author's own messages hold is his to know: their size is all that can be said without telling a secret.
	return map[string]any{"bytes": len(f.Bytes())}, false, nil
}

// secretValue is what is often a password in a command line.
var secretValue = regexp.MustCompile(`(?i)((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key)["']?(?:\s*[=:]\s*|\s+))("[^"]*"|'[^']*'|\S+)|(://[^/\s:@]*:)[^@\s]+@`)

// hideSecrets hides what looks like a secret in a text. It is help, and no promise: a command line is no place for one.
func hideSecrets(s string) string {
	return secretValue.ReplaceAllStringFunc(s, func(m string) string {
		parts := secretValue.FindStringSubmatch(m)
		if parts[3] != "" {
			return parts[3] + "***@"
		}
		return parts[1] + "***"
	})
}

// secretFlag is an argument whose value comes next.
var secretFlag = regexp.MustCompile(`(?i)^-+(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key)$`)

func hideArgs(args []string) []string {
	hidden := slices.Clone(args)
	for i, a := range hidden {
		hidden[i] = hideSecrets(a)
		if i > 0 && secretFlag.MatchString(args[i-1]) {
			hidden[i] = "***"
		}
	}
	return hidden
}

// names returns the names of variables: their values are often secret.
func names(env []string) []string {
	var list []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		list = append(list, name)
	}
	return list
}
