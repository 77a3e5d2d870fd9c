package files_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
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
	pieces pieces
	t      testing.TB
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
	return &fetch{resp, pieces{from: resp.Body}, t}
}

func (f *fetch) want(want []byte) {
	f.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(&f.pieces, got); err != nil || !bytes.Equal(got, want) {
		f.t.Fatalf("%d bytes of %d, %v", n, len(want), err)
	}
}

// end wants the end of the answer after what has been wanted.
func (f *fetch) end() wire.UploadEnd {
	f.t.Helper()
	rest, end, err := f.rest()
	if err != nil || len(rest) > 0 {
		f.t.Errorf("%d bytes before the end, %v", len(rest), err)
	}
	return end
}

// broken wants the answer to end in the middle, or to say that there is no file.
func (f *fetch) broken() {
	f.t.Helper()
	if rest, end, err := f.rest(); err == nil && end.Order != nil {
		f.t.Errorf("it ends as if it were whole, with %d bytes", len(rest))
	}
}

// rest reads the rest of the content, and the end.
func (f *fetch) rest() (rest []byte, end wire.UploadEnd, err error) {
	if rest, err = io.ReadAll(&f.pieces); err != nil {
		return rest, end, err
	}
	return rest, end, json.NewDecoder(f.Body).Decode(&end)
}

// pieces is the content of an answer, without the lengths of its pieces.
type pieces struct {
	from io.Reader
	left uint32
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.left == 0 {
		if err := binary.Read(p.from, binary.BigEndian, &p.left); err != nil {
			return 0, errors.Join(errors.New("it breaks off"), err)
		}
		if p.left == 0 {
			return 0, io.EOF
		}
	}
	n, err := p.from.Read(b[:min(len(b), int(p.left))])
	p.left -= uint32(n)
	if err == io.EOF && n > 0 {
		err = nil
	}
	return n, err
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
		if end := f.end(); end.Order == nil || end.Order.Size != uint64(len(data)) || end.Order.SHA256 != hex.EncodeToString(sum[:]) || end.Order.MD5Check {
			t.Errorf("%+v", end)
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
		"the client goes": {nil, nil, 0},
		"md5 before":      {[]string{"md5", fmt.Sprintf("%x", md5.Sum(nil))}, nil, http.StatusBadRequest},
		"no md5 after":    {nil, []string{"md5", "x"}, http.StatusBadRequest},
		"no number after": {nil, []string{"timeout", "x"}, http.StatusBadRequest},
		"no mode after":   {nil, []string{"mod", "9"}, http.StatusBadRequest},
		"another file":    {nil, []string{"file", "x"}, http.StatusBadRequest},
		"too many words":  {nil, []string{"text", string(make([]byte, 5<<20))}, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := servertest.StartConfig(t, server.Config{DataDir: dir, Features: []server.Feature{files.New(files.Config{})}})
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

// What comes after the file counts as much as what comes before it: the agent has it at the end, and the audit log before that.
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
	whole := md5.Sum(data)
	c.fields("mod", "600", "own_user", "u", "md5", hex.EncodeToString(whole[:]))
	go func() {
		rest, end, err := f.rest()
		if err == nil && end.More {
			f = startFetch(t, s, q, fmt.Sprint(len(rest)))
			_, end, err = f.rest()
		}
		if q := end.Order; err != nil || q == nil || q.Mode != 0o600 || q.OwnUser != "u" || q.Size != uint64(len(data)) || q.SHA256 != sum(data) ||
			!q.MD5Check || q.MD5 != whole {
			t.Errorf("then %+v, %v", q, err)
		}
		_, lines := s.Get(t, http.MethodGet, "/api/audit")
		if !strings.Contains(lines, `"own_user":"u"`) {
			t.Errorf("the agent has it, and the audit log has not: %s", lines)
		}
		reply(wire.UploadReply{OK: true, Dir: "/srv/f", Size: uint64(len(data)), SHA256: sum(data)})
	}()
	c.end(http.StatusOK)
	// A checksum that comes so late is the agent's to compare, and wrong in the same words.
	c = begin(t, s, "dir", "/srv")
	c.send(data[:100_000])
	q = <-orders
	c.fields("md5", hex.EncodeToString(whole[:]))
	go func() {
		if _, end, err := startFetch(t, s, q, "").rest(); err != nil || end.Order == nil || !end.Order.MD5Check {
			t.Errorf("%+v, %v", end, err)
		}
		reply(wire.UploadReply{Msg: "another sum", Why: wire.WhyChecksum})
	}()
	c.end(http.StatusBadRequest, "invalid checksum")
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
