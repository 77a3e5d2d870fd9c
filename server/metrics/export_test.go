package metrics

// Known is how many agents are remembered.
func (l *Latest) Known() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.agents)
}

// FactBook keeps what hosts are.
type FactBook struct{ *factBook }

// OpenFacts reads a file of it.
func OpenFacts(file string) (FactBook, error) {
	b, err := openFacts(file)
	return FactBook{b}, err
}

// Put keeps a number of processors.
func (b FactBook) Put(id string, cpus int) error {
	b.note(facts{ID: id, CPUs: cpus})
	return b.save()
}

// CPUs are the numbers of processors by agent.
func (b FactBook) CPUs() map[string]int {
	all := make(map[string]int)
	for id, f := range b.of {
		all[id] = f.CPUs
	}
	return all
}
