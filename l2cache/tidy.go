package l2cache

import "time"

// tidyEvery is how often the goroutine looks that has something to do.
const tidyEvery = 10 * time.Millisecond

// stir makes the goroutine look.
func (q *Queue) stir() {
	if !q.tidying && !q.cfg.Volatile {
		q.tidying = true
		q.kick <- struct{}{} // has room: only who sets tidying sends
	}
}

// tidy is the goroutine that does, a little later, what need not be done at once: save what is acknowledged, sync, and look
// whether the files are still there. When there is nothing to do it sleeps.
func (q *Queue) tidy() {
	every := min(tidyEvery, max(q.cfg.SyncEvery, time.Millisecond))
	timer := time.NewTimer(every)
	defer timer.Stop()
	synced := time.Now()
	for {
		select {
		case <-q.kick:
		case <-q.done:
			return
		}
		for busy := true; busy; {
			timer.Reset(every)
			select {
			case <-timer.C:
			case <-q.done:
				return
			}
			due := time.Since(synced) >= q.cfg.SyncEvery
			busy = q.look(due)
			q.report()
			if due {
				synced = time.Now()
			}
		}
	}
}

// look does what there is to do. When there is nothing more it is not busy, and then the goroutine sleeps.
func (q *Queue) look(syncDue bool) (busy bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.check()
	if syncDue && len(q.tail) > 0 {
		q.take()
		if !q.closed {
			_ = q.syncActive() // the fault says it, and it is tried again
		}
		q.pass()
	}
	at := q.at()
	q.mu.Unlock()
	err := q.position.save(q.dir, at, false)
	q.mu.Lock()
	if err != nil {
		q.fault.set(err)
	}
	busy = len(q.tail) > 0 || q.at() != at
	q.tidying = busy
	return busy
}
