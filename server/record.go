package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
)

// refusalsPerSecond is how many refusals a second are in the audit log: strangers can cause as many as they like.
const refusalsPerSecond = 10

// note writes a line into the audit log with the next flush. It is for what has happened, and cannot be undone if there is
// no line of it.
func (s *Server) note(e audit.Entry) {
	if err := s.audit.Note(e); err != nil {
		s.faults.say("audit log", errAttr(err))
	}
}

// refused notes a refusal, of which there may be very many: those that have no line are counted in the next one.
func (s *Server) refused(e audit.Entry) {
	if _, ok := s.refusals.admit(time.Now()); !ok {
		s.metrics.unaudited.Inc()
		s.unlogged.Add(1)
		return
	}
	if n := s.unlogged.Swap(0); n > 0 {
		if e.Detail == nil {
			e.Detail = make(map[string]any)
		}
		e.Detail["unlogged_before"] = n
	}
	s.note(e)
}

func errAttr(err error) slog.Attr { return slog.String("err", err.Error()) }

// watchEvery is how often the server looks whether somebody has changed something in its folder.
const watchEvery = time.Second

// watch looks at what other processes change while the server runs: certificates, tokens, revocations, lines for the audit
// log. What cannot be read stays as it was, and is told.
func (s *Server) watch(ctx context.Context) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, look := range []func() error{s.audit.TakeInbox, s.certs.refresh, s.refreshRevoked, s.guard.root.refresh, s.audit.Tidy} {
			if err := look(); err != nil {
				s.faults.say("folder not looked at", errAttr(err))
			}
		}
		if n%3600 == 1 {
			s.tidyTokens(time.Now())
			s.warnOfEnd(time.Now())
		}
		if n%60 == 0 {
			s.endExpired(time.Now())
		}
	}
}

// shortLife is how much of its time a certificate has left when somebody should have replaced it.
const shortLife = 7 * 24 * time.Hour

// warnOfEnd tells that the server's certificate was not replaced in time. One of the server's own CA always is.
func (s *Server) warnOfEnd(now time.Time) {
	switch end := s.certs.end(); {
	case !now.Before(end):
		s.log.Error("the server's certificate has expired: no agent and no client trusts it", "since", end, "file", s.cfg.TLS.Cert)
	case end.Sub(now) < shortLife:
		s.log.Warn("the server's certificate ends soon", "until", end, "file", s.cfg.TLS.Cert)
	}
}

// tidyTokens removes tokens that have been worth nothing for long.
func (s *Server) tidyTokens(now time.Time) {
	gone, err := s.tokens.Tidy(now)
	for _, t := range gone {
		s.note(audit.Entry{Event: "token.remove", Actor: "server", Target: t.Name, Result: "ok", Detail: map[string]any{"token": t.ID}})
	}
	if err != nil {
		s.faults.say("tokens not tidied", errAttr(err))
	}
}
