package files

import (
	"context"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// offer has an agent fetch the content. The offer stands until the agent has answered: it may ask again for what it lacks.
func (f *Files) offer(ctx context.Context, agent string, q *wire.UploadRequest, o *offer, ours bool,
	take func(*wire.Frame) (bool, error),
) error {
	var task string
	var cancel context.CancelFunc
	o.ctx, cancel = context.WithCancel(ctx)
	defer func() {
		cancel()
		f.offers.remove(task, o)
	}()
	encode := func(b []byte, id string) ([]byte, error) {
		task = id
		f.offers.add(task, o)
		q.Token, q.URI = string(o.token), "/api/file/upload/"+task
		return wire.Upload.Request.Append(b, task, q)
	}
	if ours {
		return f.ask(ctx, agent, encode, take)
	}
	return f.fleet.Call(ctx, agent, encode, take)
}

// offer is a file that an agent may fetch.
type offer struct {
	ctx      context.Context // of the upload
	content  Content
	growing  *growing // the content, if it grows
	token    token
	fetching sync.WaitGroup
}

// offers are the files that agents may fetch, by task.
type offers struct {
	mu sync.Mutex // guards the field below
	by map[string]*offer
}

func (s *offers) add(task string, o *offer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = make(map[string]*offer)
	}
	s.by[task] = o
}

// get returns an offer, whose content stays until done is called.
func (s *offers) get(task string) (o *offer, done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o = s.by[task]; o == nil {
		return nil, nil
	}
	o.fetching.Add(1)
	return o, o.fetching.Done
}

// remove takes an offer back, and waits until nobody reads the content any more.
func (s *offers) remove(task string, o *offer) {
	s.mu.Lock()
	delete(s.by, task)
	s.mu.Unlock()
	o.fetching.Wait()
}

// serve gives a file to an agent, or the rest of it (Range).
func (s *offers) serve(w http.ResponseWriter, r *http.Request) {
	o, done := s.get(r.PathValue("task"))
	if o == nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	defer done()
	if !o.token.allows(r) {
		http.Error(w, "access denied", http.StatusForbidden)
		return
	}
	// An agent that does not read is given up with the upload.
	rc := http.NewResponseController(w)
	defer context.AfterFunc(o.ctx, func() { _ = rc.SetWriteDeadline(time.Now()) })()
	w.Header().Set("Content-Type", "application/octet-stream")
	if o.growing != nil {
		o.growing.serve(o.ctx, w, r)
		return
	}
	content := io.ReadSeeker(io.NewSectionReader(o.content, 0, o.content.Len()))
	if d, ok := o.content.(interface{ Disk() (*os.File, error) }); ok {
		if file, err := d.Disk(); err == nil { // the kernel can send a file by itself
			defer file.Close()
			content = file
		}
	}
	http.ServeContent(w, r, "", time.Time{}, content)
}
