package exec_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// fieldServer asks one agent for files, and gives it some, as servers of the field do. Its callers are in the process: it has no API.
type fieldServer struct {
	addr, dir string
	came      chan struct{} // closed when the agent has come
	gone      chan struct{} // closed when no agent will come or answer any more
	conn      *conn.Conn    // to be used when it has come
	why       error         // to be read when it has gone

	mu     sync.Mutex // guards the fields below
	tasks  map[string]chan *wire.Frame
	offers map[string]offered
}

// offered is a file that the agent may fetch.
type offered struct{ file, token string }

// startFieldServer has a server listen, for one agent, until the benchmark ends. It writes to dir.
func startFieldServer(b *testing.B, addr, dir string) *fieldServer {
	b.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	s := &fieldServer{
		addr: addr, dir: dir, came: make(chan struct{}), gone: make(chan struct{}),
		tasks: make(map[string]chan *wire.Frame), offers: make(map[string]offered),
	}
	mux := http.NewServeMux()
	agents := make(chan *conn.Conn, 1)
	mux.HandleFunc("GET /ws/agent", func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, field)
		if err != nil {
			return
		}
		select {
		case agents <- c:
		default:
			c.Drop()
		}
	})
	mux.HandleFunc("GET /api/file/upload/{task}", s.give)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = srv.Serve(ln) }) // http.ErrServerClosed
	running.Go(func() {
		defer close(s.gone)
		select {
		case <-ctx.Done():
		case s.conn = <-agents:
			defer s.conn.Drop()
			defer context.AfterFunc(ctx, s.conn.Drop)()
			s.why = s.attend(ctx)
		}
	})
	b.Cleanup(func() {
		cancel()
		srv.Close()
		running.Wait()
	})
	return s
}

// await waits for the agent.
func (s *fieldServer) await(b *testing.B) {
	b.Helper()
	select {
	case <-s.came:
	case <-s.gone:
		b.Fatalf("the agent is gone: %v", s.why)
	}
}

// attend shakes hands and hands out what the agent says. Nothing more is read until who has asked for it takes it.
func (s *fieldServer) attend(ctx context.Context) error {
	f, err := s.conn.Receive()
	if err != nil {
		return err
	}
	come, err := wire.Come.Decode(f)
	if err != nil {
		return err
	}
	if err := tell(ctx, s.conn, wire.Handshake, "", &wire.HandshakePayload{OK: true, ID: come.ID}); err != nil {
		return err
	}
	close(s.came)
	for {
		f, err := s.conn.Receive()
		if err != nil {
			return err
		}
		s.mu.Lock()
		to := s.tasks[f.Task]
		s.mu.Unlock()
		if to != nil {
			select {
			case to <- f.Clone():
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// fieldTask is a request to the agent.
type fieldTask struct {
	*fieldServer
	id      string
	answers chan *wire.Frame
}

func (s *fieldServer) begin() *fieldTask {
	t := &fieldTask{s, "20261120-00001-" + nonce(), make(chan *wire.Frame, 16)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks[t.id] = t.answers
	return t
}

func (t *fieldTask) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tasks, t.id)
	delete(t.offers, t.id)
}

// nonce is what ids and tokens end in.
func nonce() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// next waits for an answer of a kind.
func next[T any](t *fieldTask, m *wire.Message[T]) (v T, err error) {
	select {
	case <-t.gone:
		return v, fmt.Errorf("the agent is gone: %w", t.why)
	case f := <-t.answers:
		if f.Type != m.Type() {
			return v, fmt.Errorf("the agent answers %s", f.Bytes()[:min(200, len(f.Bytes()))])
		}
		return m.Decode(f)
	}
}

func (s *fieldServer) download(file string, size int64) error {
	t := s.begin()
	defer t.end()
	if err := tell(context.Background(), s.conn, wire.Download, t.id, &wire.DownloadPayload{Dir: file}); err != nil {
		return err
	}
	info, err := next(t, wire.DownloadInfo)
	if err != nil {
		return err
	}
	if !info.OK || info.Size != uint64(size) {
		return fmt.Errorf("%d bytes: %s", info.Size, info.Msg)
	}
	sum := md5.New()
	for have := 0; have < int(size); {
		piece, err := next(t, wire.DownloadData)
		if err != nil {
			return err
		}
		data, err := block.Decode(piece.Data, fieldBlock)
		if err != nil {
			return err
		}
		if piece.Offset != uint64(have) || len(data) == 0 {
			return fmt.Errorf("%d bytes at %d after %d", len(data), piece.Offset, have)
		}
		sum.Write(data)
		have += len(data)
	}
	if [md5.Size]byte(sum.Sum(nil)) != info.MD5 {
		return errors.New("invalid checksum")
	}
	return nil
}

func (s *fieldServer) upload(file, to string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	var small bytes.Buffer // what may go into the message
	sum := md5.New()
	size, err := io.Copy(sum, io.TeeReader(io.LimitReader(in, wire.MaxInline), &small))
	if err != nil {
		return err
	}
	rest, err := io.Copy(sum, in)
	if err != nil {
		return err
	}
	t := s.begin()
	defer t.end()
	q := wire.UploadRequest{Dir: s.dir, Name: to, Mode: 0o644, Size: uint64(size + rest), MD5: [md5.Size]byte(sum.Sum(nil))}
	if rest == 0 {
		q.Data = block.Encode(small.Bytes())
	} else {
		q.Token, q.URI = nonce(), "/api/file/upload/"+t.id
		s.mu.Lock()
		s.offers[t.id] = offered{file, q.Token}
		s.mu.Unlock()
	}
	if err := tell(context.Background(), s.conn, wire.Upload.Request, t.id, &q); err != nil {
		return err
	}
	r, err := next(t, wire.Upload.Reply)
	if err == nil && !r.OK {
		err = errors.New(r.Msg)
	}
	return err
}

// give gives the agent a file, once.
func (s *fieldServer) give(w http.ResponseWriter, r *http.Request) {
	task := r.PathValue("task")
	s.mu.Lock()
	o, ok := s.offers[task]
	delete(s.offers, task)
	s.mu.Unlock()
	switch {
	case !ok:
		http.Error(w, "not found", http.StatusNotFound)
	case r.Header.Get("X-Token") != o.token:
		http.Error(w, "access denied", http.StatusForbidden)
	default:
		http.ServeFile(w, r, o.file)
	}
}
