package files

import (
	"context"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// offsetHeader says how many bytes of a file are there.
const offsetHeader = "Upload-Offset"

// sink is a file that an agent of ours sends over HTTP, in as many requests as it needs. Whoever reads the sink reads the
// request that is there: an agent is read from as fast as that goes, and nothing is kept between.
type sink struct {
	ctx      context.Context
	stopping <-chan struct{}
	token    token
	skipped  bool // it does not begin with the first byte

	info   chan wire.DownloadInfoPayload // has room for one
	bodies chan *body                    // requests that come
	over   chan struct{}                 // closed when the agent has said how it ended

	mu     sync.Mutex // guards the fields below
	have   int64      // bytes from the start of the file that have been read, or skipped
	ended  bool       // over is closed
	err    error      // of the agent
	result *wire.DownloadSumPayload

	current *body // that is read

	// For the reader alone.
	size int64
	sum  hash.Hash
}

// body is that of one request of the agent.
type body struct {
	io.Reader
	from int64 // where it begins
	rc   *http.ResponseController
	done chan bool // gets whether it was read when nobody reads it any more; has room for one
}

// take takes what the agent says over its connection.
func (s *sink) take(f *wire.Frame) (last bool) {
	switch f.Type {
	case wire.DownloadInfo.Type():
		p, err := wire.DownloadInfo.Decode(f)
		if err != nil {
			return s.end(nil, err)
		}
		select {
		case s.info <- p:
		default: // it has said so before
		}
		return !p.OK
	case wire.DownloadSum.Type():
		p, err := wire.DownloadSum.Decode(f)
		return s.end(&p, err)
	default:
		return s.end(nil, replied(f, wire.DownloadSum.Type()))
	}
}

// end notes how the agent's part ended.
func (s *sink) end(result *wire.DownloadSumPayload, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.result, s.err = true, result, err
		close(s.over)
	}
	return true
}

// verdict is how the agent's part ended.
func (s *sink) verdict() (*wire.DownloadSumPayload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result, s.err
}

// announced waits for what the agent says of the file.
func (s *sink) announced() (announcement, error) {
	select {
	case p := <-s.info:
		a, err := check(p)
		s.size = a.size
		return a, err
	case <-s.over:
		_, err := s.verdict()
		if err == nil {
			err = badData("the file was not announced")
		}
		return announcement{}, err
	case <-s.ctx.Done():
		return announcement{}, context.Cause(s.ctx)
	case <-s.stopping:
		return announcement{}, server.ErrStopped
	}
}

// Read reads the file. It waits for the agent, also for one that comes back.
func (s *sink) Read(p []byte) (int, error) {
	for {
		left := s.size - s.offset()
		if left == 0 {
			return 0, s.verify()
		}
		b := s.reading()
		if b == nil {
			if err := s.next(); err != nil {
				return 0, err
			}
			continue
		}
		p = p[:min(int64(len(p)), left)]
		n, err := b.Read(p)
		s.mu.Lock()
		s.have += int64(n)
		s.mu.Unlock()
		_ = b.rc.SetReadDeadline(time.Now().Add(patience))
		if !s.skipped {
			s.sum.Write(p[:n])
		}
		if err != nil || int64(n) == left { // whatever it was: the agent may go on with another request
			s.drop()
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (s *sink) offset() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have
}

// reading returns the request that is read.
func (s *sink) reading() *body {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// drop ends the reading of a request.
func (s *sink) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current.done <- true
		s.current = nil
	}
}

// use begins the reading of a request, if it goes on where the last one ended.
func (s *sink) use(b *body) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.from != s.have {
		b.done <- false
		return
	}
	s.current = b
}

// next waits for a request of the agent.
func (s *sink) next() error {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case b := <-s.bodies:
		s.use(b)
		return nil
	case <-s.over:
		if _, err := s.verdict(); err != nil {
			return err
		}
		return io.ErrUnexpectedEOF // it says that it has sent all
	case <-t.C:
		return ErrStalled
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-s.stopping:
		return server.ErrStopped
	}
}

// verify waits for the checksum and compares it. It returns io.EOF if it is right.
func (s *sink) verify() error {
	t := time.NewTimer(patience)
	defer t.Stop()
	for waiting := true; waiting; {
		select {
		case b := <-s.bodies: // of an empty file, or an agent that does not know that it has sent all
			s.use(b)
			s.drop()
		case <-s.over:
			waiting = false
		case <-t.C:
			return ErrStalled
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-s.stopping:
			return server.ErrStopped
		}
	}
	result, err := s.verdict()
	if err != nil {
		return err
	}
	var got []byte
	if !s.skipped {
		got = s.sum.Sum(nil)
	}
	if err := checkSum(*result, s.size, got); err != nil {
		return err
	}
	return io.EOF
}

// sinks are the files that agents may send, by task.
type sinks struct {
	mu sync.Mutex // guards the field below
	by map[string]*sink
}

func (ss *sinks) add(task string, s *sink) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.by == nil {
		ss.by = make(map[string]*sink)
	}
	ss.by[task] = s
}

func (ss *sinks) remove(task string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.by, task)
}

// find returns the sink that a request names and may use; otherwise it has answered.
func (ss *sinks) find(w http.ResponseWriter, r *http.Request) *sink {
	ss.mu.Lock()
	s := ss.by[r.PathValue("task")]
	ss.mu.Unlock()
	switch {
	case s == nil:
		http.Error(w, "not found", http.StatusNotFound)
		return nil
	case !s.token.allows(r):
		http.Error(w, "access denied", http.StatusForbidden)
		return nil
	}
	return s
}

// serveHead tells an agent how much of a file has come.
func (ss *sinks) serveHead(w http.ResponseWriter, r *http.Request) {
	if s := ss.find(w, r); s != nil {
		w.Header().Set(offsetHeader, strconv.FormatInt(s.offset(), 10))
		w.WriteHeader(http.StatusOK)
	}
}

// servePatch takes a part of a file, at the pace of whoever reads it.
func (ss *sinks) servePatch(w http.ResponseWriter, r *http.Request) {
	s := ss.find(w, r)
	if s == nil {
		return
	}
	from, err := strconv.ParseInt(r.Header.Get(offsetHeader), 10, 64)
	if err != nil {
		http.Error(w, offsetHeader+": "+err.Error(), http.StatusBadRequest)
		return
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(patience)) // the server's own is made for short requests
	used, err := s.offer(r.Context(), &body{Reader: r.Body, from: from, rc: rc, done: make(chan bool, 1)})
	w.Header().Set(offsetHeader, strconv.FormatInt(s.offset(), 10))
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusGone)
	case !used:
		http.Error(w, "the file does not go on there", http.StatusConflict)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

var errGone = errors.New("nobody wants the file any more")

// offer has the body of a request read, and returns when that is over. A request that still was being read is one whose
// connection the agent has given up.
func (s *sink) offer(ctx context.Context, b *body) (used bool, err error) {
	if old := s.reading(); old != nil {
		_ = old.rc.SetReadDeadline(time.Now())
	}
	select {
	case s.bodies <- b:
	case <-s.ctx.Done():
		return false, errGone
	case <-s.stopping:
		return false, errGone
	case <-ctx.Done():
		return false, errGone
	}
	select {
	case used = <-b.done:
	case <-s.ctx.Done():
		_ = b.rc.SetReadDeadline(time.Now()) // the body must not be read after this
		used = <-b.done
	}
	return used, nil
}
