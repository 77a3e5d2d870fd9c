package l2cache

// Stats are numbers of a [Queue].
type Stats struct {
	Records  uint64 // that are there: put, not acknowledged, not dropped. Damaged ones count until they are found
	Disk     int64  // bytes of the disk
	Memory   int64  // bytes of memory
	Segments int

	Put     uint64 // records since the start
	Refused uint64 // calls of Put that have met a full queue
	Dropped uint64 // records, to make room
	Damaged uint64 // records that were damaged or removed
	Syncs   uint64 // that a Put has waited for, or that the interval has made

	Faults uint64 // of the disk, since the start
	Fault  error  // the one that lasts, nil when the disk does what it shall
}

// Stats returns the numbers of now.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Records = q.visible - 1 - q.acked
	s.Disk, s.Memory, s.Segments = q.bytes, q.memory, len(q.segs)
	s.Faults, s.Fault = q.fault.count, q.fault.err
	return s
}
