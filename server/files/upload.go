package files

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// Content is what an upload writes.
type Content interface {
	io.ReaderAt
	Len() int64 // bytes
	MD5() ([16]byte, error)
	SHA256() ([32]byte, error)
}

// Upload is a file to write on an agent's host.
type Upload struct {
	Dir, Name         string // Dir may be [wire.TempDir]
	Auth, User, Pass  string // "", sudo or su, and who; see [server.ErrPlaintext]
	Mode              fs.FileMode
	OwnUser, OwnGroup string // "" for those of the agent
	Content           Content
}

// Upload writes a file on an agent's host, and returns its path there. It fails with an [*server.AgentError] when the agent cannot.
func (f *Files) Upload(ctx context.Context, agent string, u Upload) (path string, err error) {
	a, ours, err := f.expect(ctx, agent)
	if err != nil {
		return "", err
	}
	if u.Pass != "" && !a.Secure {
		return "", server.ErrPlaintext
	}
	leave, err := f.enter()
	if err != nil {
		return "", err
	}
	defer leave()
	q, err := u.request(ours)
	if err != nil {
		return "", err
	}
	var r wire.UploadReply
	take := func(frame *wire.Frame) (last bool, err error) {
		if err := server.CheckReply(frame, wire.Upload.Reply.Type()); err != nil {
			return true, err
		}
		r, err = wire.Upload.Reply.Decode(frame)
		return true, err
	}
	if u.Content.Len() <= inline(ours) {
		err = f.fleet.Call(ctx, agent, func(b []byte, task string) ([]byte, error) {
			return wire.Upload.Request.Append(b, task, &q)
		}, take)
	} else {
		err = f.offer(ctx, agent, &q, u.Content, ours, take)
	}
	if err == nil && !r.OK {
		err = &server.AgentError{Text: clip(r.Msg), Why: r.Why}
	}
	return r.Dir, err
}

// inline is the size up to which a file is sent in the message, in bytes. Fetching it costs a request; being in a message costs
// much more for each byte.
func inline(ours bool) int64 {
	if ours {
		return 32 << 10
	}
	return wire.MaxInline
}

// request is what the agent is asked.
func (u *Upload) request(ours bool) (q wire.UploadRequest, err error) {
	size := u.Content.Len()
	q = wire.UploadRequest{
		Dir: u.Dir, Name: u.Name, Auth: u.Auth, User: u.User, Pass: u.Pass, Mode: u.Mode, OwnUser: u.OwnUser, OwnGroup: u.OwnGroup,
		Size: uint64(size),
	}
	if ours {
		sum, err := u.Content.SHA256()
		if err != nil {
			return q, err
		}
		q.Detail, q.SHA256 = true, hex.EncodeToString(sum[:])
	}
	if !ours || size <= inline(ours) { // for a large file it would take longer than all the rest
		if q.MD5, err = u.Content.MD5(); err != nil {
			return q, err
		}
	}
	if size > 0 && size <= inline(ours) {
		data := make([]byte, size)
		if _, err := u.Content.ReadAt(data, 0); err != nil && err != io.EOF {
			return q, err
		}
		q.Data = block.Encode(data)
	}
	return q, nil
}

// offer has an agent fetch the content. The offer stands until the agent has answered: it may ask again for what it lacks.
func (f *Files) offer(ctx context.Context, agent string, q *wire.UploadRequest, content Content, ours bool,
	take func(*wire.Frame) (bool, error),
) error {
	offered, cancel := context.WithCancel(ctx)
	o := &offer{ctx: offered, content: content, token: newToken()}
	var task string
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
	content := io.ReadSeeker(io.NewSectionReader(o.content, 0, o.content.Len()))
	if d, ok := o.content.(interface{ Disk() (*os.File, error) }); ok {
		if file, err := d.Disk(); err == nil { // the kernel can send a file by itself
			defer file.Close()
			content = file
		}
	}
	http.ServeContent(w, r, "", time.Time{}, content)
}

// Bytes is a content that is in memory.
func Bytes(data []byte) Content { return inMemory{bytes.NewReader(data), data} }

type inMemory struct {
	*bytes.Reader
	data []byte
}

func (m inMemory) Len() int64                { return int64(len(m.data)) }
func (m inMemory) MD5() ([16]byte, error)    { return md5.Sum(m.data), nil }
func (m inMemory) SHA256() ([32]byte, error) { return sha256.Sum256(m.data), nil }
