package l2cache

// fault is what is wrong with the disk at the moment.
type fault struct {
	err   error
	count uint64
}

func (f *fault) set(err error) {
	f.err = err
	f.count++
}

func (f *fault) clear() { f.err = nil }
