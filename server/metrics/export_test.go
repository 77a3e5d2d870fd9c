package metrics

// Known is how many agents are remembered.
func (l *Latest) Known() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.agents)
}
