package limit

// Headroom is how much of a memory limit is left to what the garbage collector does not count.
func Headroom(limit uint64) uint64 { return headroom(limit) }
