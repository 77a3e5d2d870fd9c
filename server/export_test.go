package server

import (
	"net"
	"time"
)

// Patience is how long one of n clients that have not shaken hands may take.
func Patience(n int) time.Duration { return patience(n) }

// Routes are the patterns that the API answers behind its guard.
func (s *Server) Routes() map[string]Role { return s.api.roles }

// SetListeners gives the server listeners that were opened by somebody else.
func (s *Server) SetListeners(agents, api net.Listener) { s.agentLn, s.apiLn = agents, api }
