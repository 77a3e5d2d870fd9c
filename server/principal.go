package server

import (
	"context"
	"slices"
)

// Principal is who has something done: the holder of a token, or a part of the program.
type Principal struct {
	Name string // of the token
	Role Role
	From string // the address of the caller, "" for none

	// Agents and Types bound what the principal sees and reaches: agents with one of the ids, or of one of the types. Both
	// empty means all.
	Agents, Types []string
}

// principalKey is where a context has its principal.
type principalKey struct{}

// WithPrincipal returns a context in whose name agents are asked: the [Fleet] of a server shows it only the agents that the
// principal may reach, and writes its name into the audit log. Contexts of the API's requests have the principal of the
// token.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, &p)
}

// PrincipalOf returns in whose name something is done, and false for the program itself. What goes on after a request
// takes the values of its context along, see [context.WithoutCancel].
func PrincipalOf(ctx context.Context) (Principal, bool) {
	if p, ok := ctx.Value(principalKey{}).(*Principal); ok {
		return *p, true
	}
	return Principal{}, false
}

// bound reports whether the principal may reach only some agents.
func (p *Principal) bound() bool { return len(p.Agents) > 0 || len(p.Types) > 0 }

// reaches reports whether the principal may see and reach an agent.
func (p *Principal) reaches(a *Agent) bool {
	return !p.bound() || slices.Contains(p.Agents, a.ID) || slices.Contains(p.Types, a.Name)
}

// scope returns what decides which agents may be seen in a context, nil for all.
func scope(ctx context.Context) func(*Agent) bool {
	p, ok := ctx.Value(principalKey{}).(*Principal)
	if !ok || !p.bound() {
		return nil
	}
	return p.reaches
}

// queryKey is where a context says that what is sent is no order.
type queryKey struct{}

// asQuery returns a context for a message that only asks, as its declaration says.
func asQuery(ctx context.Context, query bool) context.Context {
	if !query {
		return ctx
	}
	return context.WithValue(ctx, queryKey{}, true)
}
