package libagent

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

const (
	// conflictDelay is the least time between two attempts while another agent has the id.
	conflictDelay = 10 * time.Second

	// maxRetryAfter is the longest that a server can have the agent wait.
	maxRetryAfter = 5 * time.Minute
)

// errMoved is why the agent leaves a server that is not in its config any more.
var errMoved = errors.New("agent goes to another server")

// stayConnected connects, and connects again, until ctx is done. The servers of the config are tried in turn.
func (ag *Agent) stayConnected(ctx context.Context) {
	b := &backoff{}
	notBefore := make(map[string]time.Time) // by server: when it wants to be asked again
	next := 0                               // the server to begin with
	for ctx.Err() == nil {
		b.spread = ag.basic().Reconnect.Spread
		servers := ag.basic().Server
		moved := false
		for i := 0; i < len(servers) && ctx.Err() == nil && !moved; i++ {
			at := (next + i) % len(servers)
			if time.Now().Before(notBefore[servers[at]]) {
				continue
			}
			stood, err := ag.visit(ctx, servers[at])
			notBefore[servers[at]] = time.Now().Add(asksToWait(err))
			if moved = errors.Is(err, errMoved); moved {
				next = 0
			} else if stood > 0 {
				b.lose(stood)
				next = at
				if stood < lasting {
					next++ // one that always hangs up must not keep the agent from the others
				}
				break
			}
		}
		if !moved {
			ag.pause(ctx, servers, max(b.next(), untilFirst(servers, notBefore)))
		}
	}
}

// untilFirst returns how long it is until the first of the servers may be asked.
func untilFirst(servers []string, notBefore map[string]time.Time) time.Duration {
	first := 2 * maxRetryAfter
	for _, s := range servers {
		first = min(first, time.Until(notBefore[s]))
	}
	return first
}

// pause waits before the next attempt. It ends early when a reload has brought other servers than those that were tried.
func (ag *Agent) pause(ctx context.Context, tried []string, d time.Duration) {
	select {
	case <-ag.rethink: // from before
	default:
	}
	if !slices.Equal(tried, ag.basic().Server) {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ag.rethink:
	case <-ctx.Done():
	}
}

// visit connects to a server of the config and stays there until the connection ends or the server is in the config no
// more, which is errMoved. It returns how long the established connection stood, 0 if there was none.
func (ag *Agent) visit(ctx context.Context, server string) (stood time.Duration, err error) {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	ag.mu.Lock()
	ag.home, ag.leave = server, leave
	ag.mu.Unlock()
	ag.leaveOld() // the config may have changed just before
	stood, err = ag.follow(ctx, server)
	if cause := context.Cause(ctx); errors.Is(cause, errMoved) {
		return stood, cause
	}
	return stood, err
}

// leaveOld has the agent leave a server that is in its config no more.
func (ag *Agent) leaveOld() {
	servers := ag.basic().Server
	ag.mu.Lock()
	defer ag.mu.Unlock()
	if ag.leave != nil && !slices.Contains(servers, ag.home) {
		ag.leave(errMoved)
	}
}

// otherServers tells the connection of a config with other servers: the agent leaves one that is there no more, and does not
// wait to ask one that is there now.
func (ag *Agent) otherServers() {
	ag.leaveOld()
	select {
	case ag.rethink <- struct{}{}:
	default: // it will
	}
}

// asksToWait returns how long a server wants to be left alone, 0 if it did not say.
func asksToWait(err error) time.Duration {
	var http *conn.RefusedError
	if errors.As(err, &http) && http.RetryAfter > 0 {
		after := min(http.RetryAfter, maxRetryAfter)
		return after + part(after/10)
	}
	if isConflict(err) {
		return conflictDelay + part(conflictDelay/4)
	}
	return 0
}

// isConflict tells whether a server has refused the agent because another one has its id.
func isConflict(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Conflict()
}
