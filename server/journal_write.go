package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"
)

const (
	// writeBytes is about how much is written with one sync.
	writeBytes = 4 << 20

	// retryFault is how often a journal that cannot be written is tried again.
	retryFault = time.Second

	// recordOverhead is what a record takes on the disk beside its data, at most.
	recordOverhead = 16
)

// errFull is why nothing is taken while sinks are behind.
var errFull = errors.New("full: a sink has not taken what is in it")

// write writes what waits until the journal is closed.
func (j *journal) write() {
	for {
		batch, stopping, fault := j.next()
		switch {
		case fault != nil && !stopping:
			select {
			case <-j.stirred:
			case <-time.After(retryFault):
			}
			j.tryAgain(fault)
		case len(batch) > 0:
			j.put(batch)
		case stopping:
			return
		default:
			<-j.stirred
		}
	}
}

// next takes what is to be written with one sync.
func (j *journal) next() (batch []entryToWrite, stopping bool, fault error) {
	passed := j.passed()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.shares.release(passed) {
		j.answerOpens()
	}
	if j.fault != nil {
		return nil, j.stopping, j.fault
	}
	n, size := 0, 0
	for n < len(j.pending) && (n == 0 || size+len(j.pending[n].data) <= writeBytes) {
		size += len(j.pending[n].data)
		n++
	}
	batch = j.pending[:n:n]
	j.pending = j.pending[n:]
	if len(j.pending) == 0 {
		j.pending = nil // its array may have grown
	}
	return batch, j.stopping, nil
}

// put writes a batch, and tells whose it is.
func (j *journal) put(batch []entryToWrite) {
	size := int64(0)
	data := make([][]byte, 0, len(batch)+1)
	var head []byte
	if j.since >= j.size/8 {
		head = j.appendCheckpoint(nil)
		data = append(data, head)
		size += int64(len(head) + recordOverhead)
	}
	for i := range batch {
		data = append(data, batch[i].data)
		size += batch[i].size()
	}
	err := j.makeRoom(size)
	var last uint64
	if err == nil {
		last, err = j.queue.PutBatch(context.Background(), data)
	}
	if err != nil {
		j.fail(batch, err)
		return
	}
	if head != nil {
		j.noteCheckpoint(last-uint64(len(batch)), 0)
	}
	j.since += size
	j.confirm(batch, last)
}

// noteCheckpoint notes where the last checkpoint is.
func (j *journal) noteCheckpoint(offset uint64, since int64) {
	j.checkpoint, j.since = offset, since
	if err := replaceFile(j.hintFile(), strconv.AppendUint(nil, offset, 10)); err != nil {
		j.faults.say("journal: not noted where the checkpoint is", slog.String("err", err.Error())) // the next start takes longer
	}
}

// confirm moves the cursors of what is on the disk, up to an offset, and has the agents told.
func (j *journal) confirm(batch []entryToWrite, offset uint64) {
	last := make(map[*cursor]*entryToWrite)
	for i := range batch {
		last[batch[i].cursor] = &batch[i]
	}
	delete(last, nil)
	sums := make(map[*cursor]sum, len(last))
	for c, e := range last {
		if e.frame > 0 {
			sums[c] = sumOf(e.at, e.data[e.frame:])
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.shares.written(batch, offset)
	for i := range batch {
		j.bytes -= int64(len(batch[i].data))
		j.count(&batch[i])
	}
	now := time.Now().Unix()
	for c, e := range last {
		c.synced, c.kept, c.touched, c.sum = e.to, true, now, sums[c]
		if f := c.owner; f != nil && f.answered && !f.dirty {
			f.dirty = true
			f.inbox.acks = append(f.inbox.acks, f)
			j.answer(f.inbox)
		}
	}
	j.giveRoom()
	j.answerOpens()
}

// count counts an entry for the metrics. The caller holds j.mu.
func (j *journal) count(e *entryToWrite) {
	switch {
	case e.cursor == nil:
		j.taken.plain++
	case e.frame > 0:
		j.taken.messages++
	default:
		j.taken.missing += e.missing
	}
}

// giveRoom wakes those that wait for room. The caller holds j.mu.
func (j *journal) giveRoom() {
	if j.room != nil {
		close(j.room)
		j.room = nil
	}
}

// answerOpens answers those that have opened streams. The caller holds j.mu.
func (j *journal) answerOpens() {
	for f := range j.opening {
		j.answerOpen(f)
	}
}

// answerOpen answers that a stream is open, once all is on the disk that was taken of it and its agent may go on. The caller holds
// j.mu.
func (j *journal) answerOpen(f *flow) {
	if j.fault != nil || f.cursor.synced < f.cursor.seq || !j.shares.resumes(f.inbox.sess.agent.ID) {
		return
	}
	delete(j.opening, f)
	f.answered = true
	f.inbox.opened = append(f.inbox.opened, f)
	j.answer(f.inbox)
}

// fail gives up what could not be written, and all that waits behind it: its agents have it still. They are told to open
// their streams again, and are answered when the journal works.
func (j *journal) fail(batch []entryToWrite, why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fault, j.faulty = why, time.Now()
	for _, e := range slices.Concat(batch, j.pending) {
		j.shares.add(e.agent, -e.size())
		c := e.cursor
		if c == nil {
			j.taken.refused++
			continue
		}
		c.seq = c.synced
		j.revoke(c)
	}
	j.pending, j.bytes = nil, 0
	j.giveRoom()
	j.log.Error("journal takes nothing, agents keep what they have", "err", why)
}

// tryAgain sees whether the journal can be written again.
func (j *journal) tryAgain(fault error) {
	err := j.makeRoom(j.size / 16)
	if err == nil && !errors.Is(fault, errFull) {
		var at uint64
		if at, err = j.queue.Put(context.Background(), j.appendCheckpoint(nil)); err == nil {
			j.noteCheckpoint(at, 0)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fault, j.faulty = err, time.Now()
	if err != nil {
		return
	}
	j.log.Info("journal takes messages again")
	j.answerOpens()
}

// makeRoom lets go of what every sink has taken, the oldest first, until there is room for so many bytes beside a reserve for
// checkpoints. The last checkpoint stays.
func (j *journal) makeRoom(size int64) error {
	for range 2 {
		for {
			st := j.queue.Stats()
			if st.Disk+size <= j.size-j.size/8 {
				return nil
			}
			first := j.queue.First()
			last := min(j.passed(), j.checkpoint-1, j.queue.Next()-1)
			if j.checkpoint == 0 || last < first {
				break
			}
			if err := j.queue.Ack(min(last, first+max(st.Records/16, 1))); err != nil {
				return err
			}
		}
		if j.passed() <= j.checkpoint {
			return errFull
		}
		// Only the checkpoint is in the way: another one takes its place.
		at, err := j.queue.Put(context.Background(), j.appendCheckpoint(nil))
		if err != nil {
			return err
		}
		j.noteCheckpoint(at, 0)
	}
	return errFull
}

// passed is the offset up to which every sink has taken what there is.
func (j *journal) passed() uint64 {
	last := j.queue.Next() - 1
	for _, c := range j.consumers {
		last = min(last, c.done.Load())
	}
	return last
}

// appendCheckpoint appends all cursors as they are on the disk. Those that nobody uses any more are forgotten.
func (j *journal) appendCheckpoint(b []byte) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	old := time.Now().Add(-cursorLife).Unix()
	maps.DeleteFunc(j.cursors, func(_ streamID, c *cursor) bool { return c.owner == nil && c.touched < old && c.seq == c.synced })
	most := min(maxCursors, int(j.size/16)/savedSize)
	if len(j.cursors) > most {
		j.forget(len(j.cursors) - most)
	}
	b = append(b, recordCheckpoint)
	for id, c := range j.cursors {
		if c.kept {
			s := saved{stream: id, seq: c.synced, touched: c.touched, sum: c.sum}
			b = s.append(b)
		}
	}
	return b
}

// forget forgets so many of the cursors that nobody has used for longest. The caller holds j.mu.
func (j *journal) forget(n int) {
	var idle []streamID
	for id, c := range j.cursors {
		if c.owner == nil && c.seq == c.synced {
			idle = append(idle, id)
		}
	}
	slices.SortFunc(idle, func(a, b streamID) int { return cmp.Compare(j.cursors[a].touched, j.cursors[b].touched) })
	idle = idle[:min(n, len(idle))]
	for _, id := range idle {
		delete(j.cursors, id)
	}
	j.log.Warn("journal: streams forgotten, there are too many", "streams", len(idle))
}

// journalBad logs a message of the journal that is not what its type is due to be.
func (s *Server) journalBad(e Entry, err error) {
	s.metrics.badFrames.WithLabelValues(badLabel(err)).Inc()
	s.noise.say("journal has a bad message", slog.String("id", e.Agent), slog.String("message", e.ID), slog.String("err", clip(err.Error(), maxErrorText)))
}
