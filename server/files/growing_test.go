package files_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
)

// client sends a form piece by piece.
type client struct {
	t      testing.TB
	form   *multipart.Writer
	body   *io.PipeWriter
	file   io.Writer
	answer chan *http.Response // gets nil when there is none
}

// begin begins an upload, whose file comes after the fields.
func begin(t testing.TB, s *servertest.Server, fields ...string) *client {
	t.Helper()
	r, w := io.Pipe()
	c := &client{t: t, form: multipart.NewWriter(w), body: w, answer: make(chan *http.Response, 1)}
	req := s.Request(t, http.MethodPost, "/api/file/ours/upload", c.form.FormDataContentType(), r)
	go func() {
		resp, err := s.Client.Do(req)
		if err != nil {
			resp = nil
		}
		c.answer <- resp
	}()
	c.fields(fields...)
	var err error
	if c.file, err = c.form.CreateFormFile("file", "f"); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) fields(pairs ...string) {
	c.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := c.form.WriteField(pairs[i], pairs[i+1]); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.file.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// end ends the form and wants an answer.
func (c *client) end(status int, texts ...string) {
	c.t.Helper()
	if err := errors.Join(c.form.Close(), c.body.Close()); err != nil {
		c.t.Fatal(err)
	}
	resp := <-c.answer
	if resp == nil {
		c.t.Fatal("there is no answer")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	servertest.Want(c.t, resp, string(body), status, texts...)
}

// fetch is a fetch of an agent: what has come of it, piece by piece.
type fetch struct {
	*http.Response
	t testing.TB
}

func startFetch(t testing.TB, s *servertest.Server, q wire.UploadRequest, offset string) *fetch {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.AgentAddr().String()+q.URI, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Token", q.Token)
	if offset != "" {
		req.Header.Set("Upload-Offset", offset)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return &fetch{resp, t}
}

func (f *fetch) want(want []byte) {
	f.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(f.Body, got); err != nil || !bytes.Equal(got, want) {
		f.t.Fatalf("%d bytes of %d, %v", n, len(want), err)
	}
}

// broken wants the answer to end in the middle, or with a sum that says that there is no file.
func (f *fetch) broken() {
	f.t.Helper()
	if rest, err := io.ReadAll(f.Body); err == nil && !bytes.HasSuffix(rest, make([]byte, wire.SumSize)) {
		f.t.Errorf("it ends as if it were whole, with %d bytes", len(rest))
	}
}

// grower is an agent of ours whose orders the test takes.
func grower(t testing.TB, s *servertest.Server) (orders chan wire.UploadRequest, reply func(wire.UploadReply)) {
	t.Helper()
	orders = make(chan wire.UploadRequest, 10)
	tasks := make(chan servertest.Ask, 10)
	s.Connect(t, "ours", files.AgentType, []string{wire.FeatureFiles}, func(a servertest.Ask) {
		orders <- servertest.Decode(t, a.Frame, wire.Upload.Request)
		tasks <- servertest.Ask{Agent: a.Agent, Frame: &wire.Frame{Type: a.Type, Task: a.Task}}
	})
	return orders, func(r wire.UploadReply) {
		a := <-tasks
		servertest.Send(t, a.Agent, wire.Upload.Reply, a.Task, r)
	}
}

// left are the files that the server keeps of uploads.
func left(t testing.TB, dir string) int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*", "*", "upload-*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// An agent of ours has the beginning of a file before the end has been sent, and may break off and go on.
func TestUploadWhileItComes(t *testing.T) {
	s, _ := start(t, files.Config{})
	orders, reply := grower(t, s)
	data := content(3_000_000)
	whole := md5.Sum(data)
	sum := sha256.Sum256(data)
	c := begin(t, s, "dir", "/srv", "md5", hex.EncodeToString(whole[:]))
	c.send(data[:1_000_000])
	q := <-orders
	if !q.Grows || q.Size != 0 || q.SHA256 != "" || q.Dir != "/srv" || q.Name != "f" || !q.Detail {
		t.Fatalf("%+v", q)
	}
	stranger := q
	stranger.Token = "wrong"
	if f := startFetch(t, s, stranger, ""); f.StatusCode != http.StatusForbidden {
		t.Errorf("without the token: %s", f.Status)
	}
	f := startFetch(t, s, q, "")
	f.want(data[:900_000])
	f.Body.Close()
	for _, offset := range []string{"-1", "x", "3000001"} {
		if f := startFetch(t, s, q, offset); f.StatusCode != http.StatusBadRequest {
			t.Errorf("from %s: %s", offset, f.Status)
		}
	}
	f = startFetch(t, s, q, "900000")
	if f.StatusCode != http.StatusOK || f.Header.Get("Upload-Offset") != "900000" {
		t.Errorf("%s %v", f.Status, f.Header)
	}
	c.send(data[1_000_000:2_000_000]) // from memory to the disk
	f.want(data[900_000:1_900_000])
	c.send(data[2_000_000:])
	go func() {
		f.want(data[1_900_000:])
		f.want(sum[:])
		if rest, err := io.ReadAll(f.Body); err != nil || len(rest) != 0 {
			t.Errorf("%d bytes more, %v", len(rest), err)
		}
		reply(wire.UploadReply{OK: true, Dir: "/srv/f", Size: uint64(len(data)), SHA256: hex.EncodeToString(sum[:])})
	}()
	c.end(http.StatusOK, `{"code":0}`)
	if f := startFetch(t, s, q, ""); f.StatusCode != http.StatusNotFound {
		t.Errorf("afterwards: %s", f.Status)
	}
}

// What the agent must not keep never ends as if it were whole, whatever is wrong, and the server keeps nothing of it.
func TestUploadBreaksOff(t *testing.T) {
	data := content(2_000_000)
	for name, tt := range map[string]struct {
		before, after []string
		status        int // 0: the client goes away
	}{
		"the client goes":   {nil, nil, 0},
		"md5 before":        {[]string{"md5", fmt.Sprintf("%x", md5.Sum(nil))}, nil, http.StatusBadRequest},
		"md5 after":         {nil, []string{"md5", fmt.Sprintf("%x", md5.Sum(nil))}, http.StatusBadRequest},
		"no number after":   {nil, []string{"timeout", "x"}, http.StatusBadRequest},
		"no mode after":     {nil, []string{"mod", "9"}, http.StatusBadRequest},
		"another file":      {nil, []string{"file", "x"}, http.StatusBadRequest},
		"too many words":    {nil, []string{"text", string(make([]byte, 5<<20))}, http.StatusRequestEntityTooLarge},
		"more than it fits": {nil, nil, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cfg := files.Config{}
			if name == "more than it fits" {
				cfg.Disk = 1 << 20
			}
			s := servertest.StartConfig(t, server.Config{DataDir: dir, Features: []server.Feature{files.New(cfg)}})
			orders, reply := grower(t, s)
			c := begin(t, s, append(tt.before, "dir", "/srv")...)
			c.send(data[:1_000_000])
			q := <-orders
			f := startFetch(t, s, q, "")
			f.want(data[:900_000])
			broken := make(chan struct{})
			go func() {
				defer close(broken)
				f.broken()
				reply(wire.UploadReply{Msg: "it broke off"})
			}()
			if tt.status == 0 {
				c.body.CloseWithError(io.ErrClosedPipe)
				if resp := <-c.answer; resp != nil {
					t.Errorf("answered %s", resp.Status)
				}
			} else {
				go func() { // as long as the server takes it
					_, _ = c.file.Write(data[1_000_000:])
					for i := 0; i < len(tt.after); i += 2 {
						_ = c.form.WriteField(tt.after[i], tt.after[i+1])
					}
					_ = c.form.Close()
					_ = c.body.Close()
				}()
				resp := <-c.answer
				if resp == nil {
					t.Fatal("there is no answer")
				}
				defer resp.Body.Close()
				body, _ := io.ReadAll(resp.Body)
				servertest.Want(t, resp, string(body), tt.status)
			}
			<-broken
			s.Stop()
			if n := left(t, dir); n > 0 {
				t.Errorf("%d files are left", n)
			}
		})
	}
}

// What comes after the file counts as much as what comes before it: the agent gets another order, of the whole form.
func TestUploadSaysMoreAtTheEnd(t *testing.T) {
	s, _ := start(t, files.Config{})
	orders, reply := grower(t, s)
	data := content(2_000_000)
	c := begin(t, s, "dir", "/srv")
	c.send(data)
	q := <-orders
	if q.Mode != 0o644 || !q.Grows {
		t.Errorf("first %+v", q)
	}
	f := startFetch(t, s, q, "")
	f.want(data[:1_900_000])
	c.fields("mod", "600", "own_user", "u")
	go func() {
		f.broken()
		reply(wire.UploadReply{Msg: "it broke off"})
		q := <-orders
		if q.Grows || q.Mode != 0o600 || q.OwnUser != "u" || q.Size != uint64(len(data)) || q.SHA256 != fmt.Sprintf("%x", sha256.Sum256(data)) {
			t.Errorf("then %+v", q)
		}
		if got := fetchInParts(t, s, q); !bytes.Equal(got, data) {
			t.Errorf("%d bytes", len(got))
		}
		reply(wire.UploadReply{OK: true, Dir: "/srv/f"})
	}()
	c.end(http.StatusOK)
	// What changes nothing needs no second order.
	c = begin(t, s, "dir", "/srv", "mod", "600")
	c.send(data)
	if q = <-orders; q.Mode != 0o600 {
		t.Errorf("%+v", q)
	}
	c.fields("timeout", "100", "md5", fmt.Sprintf("%x", md5.Sum(data)))
	f = startFetch(t, s, q, "")
	go func() {
		if got, err := io.ReadAll(f.Body); err != nil || len(got) != len(data)+wire.SumSize {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		reply(wire.UploadReply{OK: true, Dir: "/srv/f", Size: uint64(len(data)), SHA256: sum(data)})
	}()
	c.end(http.StatusOK)
	if len(orders) != 0 {
		t.Errorf("another order: %+v", <-orders)
	}
}

// An agent that has written something else, or nothing, is not believed.
func TestUploadGrowingRefused(t *testing.T) {
	s, _ := start(t, files.Config{})
	orders, reply := grower(t, s)
	data := content(200_000)
	for name, tt := range map[string]struct {
		r      wire.UploadReply
		status int
	}{
		"another sum":  {wire.UploadReply{OK: true, Size: uint64(len(data)), SHA256: sum(nil)}, http.StatusConflict},
		"another size": {wire.UploadReply{OK: true, Size: 1, SHA256: sum(data)}, http.StatusConflict},
		"refused":      {wire.UploadReply{Msg: "no", Why: wire.WhyPolicy}, http.StatusForbidden},
	} {
		c := begin(t, s, "dir", "/srv")
		c.send(data[:100_000])
		<-orders
		reply(tt.r) // before the end has come
		c.send(data[100_000:])
		t.Log(name)
		c.end(tt.status)
	}
}
