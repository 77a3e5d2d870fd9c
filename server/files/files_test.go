package files_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

func start(t testing.TB, cfg files.Config) (*servertest.Server, *files.Files) {
	t.Helper()
	f := files.New(cfg)
	return servertest.Start(t, f), f
}

// content is n bytes that are no text.
func content(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// patch sends a part of a file as an agent of ours does, and returns the status and the server's offset.
func patch(t testing.TB, s *servertest.Server, q wire.DownloadPayload, from int, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+s.AgentAddr().String()+q.URI, body)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("X-Token", q.Token)
	req.Header.Set("Upload-Offset", fmt.Sprint(from))
	resp, err := s.Client.Do(req)
	if err != nil {
		return 0, ""
	}
	resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Upload-Offset")
}

// offset is how far a file has come, by the server's word.
func offset(t testing.TB, s *servertest.Server, q wire.DownloadPayload) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "http://"+s.AgentAddr().String()+q.URI, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	req.Header.Set("X-Token", q.Token)
	resp, err := s.Client.Do(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	resp.Body.Close()
	return resp.Header.Get("Upload-Offset")
}

var modTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// ours is an agent of ours with one file; send does the sending, and is nil for the right way.
func ours(t testing.TB, s *servertest.Server, data []byte, send func(a servertest.Ask, q wire.DownloadPayload)) {
	t.Helper()
	s.Connect(t, "ours", files.AgentType, []string{wire.FeatureFiles}, func(a servertest.Ask) {
		q := servertest.Decode(t, a.Frame, wire.Download)
		info := wire.DownloadInfoPayload{Dir: q.Dir, OK: true, Size: uint64(len(data)), ModTime: &modTime}
		servertest.Send(t, a.Agent, wire.DownloadInfo, a.Task, info)
		a.Frame = &wire.Frame{Type: a.Type, Task: a.Task} // the rest is good until this returns
		go func() {
			if send != nil {
				send(a, q)
				return
			}
			patch(t, s, q, int(q.Offset), bytes.NewReader(data[q.Offset:]))
			servertest.Send(t, a.Agent, wire.DownloadSum, a.Task, wire.DownloadSumPayload{Size: uint64(len(data)), SHA256: sum(data)})
		}()
	})
}

// Files of any size come whole, from agents of ours and of the field.
func TestDownload(t *testing.T) {
	s, _ := start(t, files.Config{})
	for _, n := range []int{0, 1, 32768, 256 << 10, 256<<10 + 1, 5_000_000} {
		data := content(n)
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			ours(t, s, data, nil)
			h := servertest.NewHost(s)
			h.Put("/data", string(data))
			s.Connect(t, "field", files.AgentType, nil, h.Answer(t))
			for _, id := range []string{"ours", "field"} {
				resp, body := s.Get(t, http.MethodGet, "/api/file/"+id+"/download?dir=/data")
				if resp.StatusCode != 200 || body != string(data) || resp.ContentLength != int64(n) {
					t.Errorf("%s: %d, %d bytes of %d", id, resp.StatusCode, len(body), n)
				}
			}
		})
	}
}

// Whoever has the beginning of a file gets the rest, unless the file has changed.
func TestDownloadRest(t *testing.T) {
	s, _ := start(t, files.Config{})
	data := content(100_000)
	ours(t, s, data, nil)
	h := servertest.NewHost(s)
	h.Put("/data", string(data))
	s.Connect(t, "field", files.AgentType, nil, h.Answer(t))
	for _, tt := range []struct {
		id, from, ifRange string
		status, bytes     int
	}{
		{"ours", "bytes=60000-", "", 206, 40_000},
		{"ours", "bytes=60000-", modTime.Format(http.TimeFormat), 206, 40_000},
		{"ours", "bytes=60000-", modTime.Add(time.Second).Format(http.TimeFormat), 200, 100_000},
		{"ours", "bytes=100000-", "", 416, 0},
		{"ours", "bytes=-5", "", 200, 100_000},
		{"field", "bytes=60000-", "", 206, 40_000},
		{"field", "bytes=60000-", modTime.Format(http.TimeFormat), 200, 100_000},
		{"field", "bytes=999999-", "", 416, 0},
	} {
		req := s.Request(t, http.MethodGet, "/api/file/"+tt.id+"/download?dir=/data", "", nil)
		req.Header.Set("Range", tt.from)
		if tt.ifRange != "" {
			req.Header.Set("If-Range", tt.ifRange)
		}
		resp, body := s.Do(t, req)
		if resp.StatusCode != tt.status || tt.status < 300 && body != string(data[len(data)-tt.bytes:]) {
			t.Errorf("%+v: %d, %d bytes", tt, resp.StatusCode, len(body))
		}
		if tt.status == 206 && resp.Header.Get("Content-Range") != "bytes 60000-99999/100000" {
			t.Errorf("%+v: %s", tt, resp.Header.Get("Content-Range"))
		}
	}
}

// An agent whose HTTP connection breaks goes on where the server says; one that goes on elsewhere is refused, and so is a stranger.
func TestDownloadResumes(t *testing.T) {
	s, _ := start(t, files.Config{})
	data := content(1_000_000)
	failed := errorReader{}
	ours(t, s, data, func(a servertest.Ask, q wire.DownloadPayload) {
		stranger := q
		stranger.Token = strings.Repeat("0", len(q.Token))
		if status, _ := patch(t, s, stranger, 0, bytes.NewReader(data)); status != http.StatusForbidden {
			t.Errorf("without the token: %d", status)
		}
		patch(t, s, q, 0, io.MultiReader(bytes.NewReader(data[:400_000]), failed))
		have := 0
		for have < 400_000 { // the server reads to the break
			fmt.Sscan(offset(t, s, q), &have)
		}
		if status, at := patch(t, s, q, 399_999, bytes.NewReader(data[399_999:])); status != http.StatusConflict || at != "400000" {
			t.Errorf("elsewhere: %d at %s", status, at)
		}
		if status, at := patch(t, s, q, 400_000, bytes.NewReader(data[400_000:])); status != http.StatusNoContent || at != "1000000" {
			t.Errorf("the rest: %d at %s", status, at)
		}
		servertest.Send(t, a.Agent, wire.DownloadSum, a.Task, wire.DownloadSumPayload{Size: uint64(len(data)), SHA256: sum(data)})
	})
	resp, body := s.Get(t, http.MethodGet, "/api/file/ours/download?dir=/data")
	if resp.StatusCode != 200 || body != string(data) {
		t.Errorf("%d, %d bytes", resp.StatusCode, len(body))
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A file that is not what was announced is an error while it is small, and never whole when it is large.
func TestDownloadWrong(t *testing.T) {
	s, _ := start(t, files.Config{})
	for _, n := range []int{1000, 2_000_000} {
		data := content(n)
		wrong := func(a servertest.Ask, q wire.DownloadPayload) {
			patch(t, s, q, 0, bytes.NewReader(data))
			servertest.Send(t, a.Agent, wire.DownloadSum, a.Task, wire.DownloadSumPayload{Size: uint64(n), SHA256: sum(data[1:])})
		}
		broken := func(a servertest.Ask, q wire.DownloadPayload) {
			patch(t, s, q, 0, bytes.NewReader(data[:n-1]))
			servertest.Send(t, a.Agent, wire.DownloadError, a.Task, wire.DownloadErrorPayload{Msg: "it has changed", Why: wire.WhyChanged})
		}
		for name, send := range map[string]func(servertest.Ask, wire.DownloadPayload){"invalid checksum": wrong, "it has changed": broken} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				ours(t, s, data, send)
				resp, err := s.Client.Do(s.Request(t, http.MethodGet, "/api/file/ours/download?dir=/data", "", nil))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if n == 1000 {
					servertest.Want(t, resp, string(body), http.StatusConflict, name)
				} else if err == nil || len(body) >= n {
					t.Errorf("%d bytes, %v: a client would take it for the file", len(body), err)
				}
			})
		}
	}
}

// Agents of the field send blocks in all forms, and what they should not.
func TestDownloadFromField(t *testing.T) {
	s, _ := start(t, files.Config{})
	hello := []byte("hello")
	info := wire.DownloadInfoPayload{OK: true, Size: 5, BlockSize: 32768, MD5: md5.Sum(hello)}
	for name, tt := range map[string]struct {
		block  wire.Block
		offset uint64
		status int
		want   string
	}{
		"plain":     {block.Plain(hello), 0, 200, "hello"},
		"zstd":      {block.Encode(hello), 0, 200, "hello"},
		"gzip":      {"$1$H4sIAAAAAAAA/8tIzcnJBwCGphA2BQAAAA==", 0, 200, "hello"},
		"no marker": {"hello", 0, 500, "invalid data: "},
		"too much":  {block.Plain([]byte("hello!")), 0, 500, "does not follow"},
		"elsewhere": {block.Plain(hello), 1, 500, "does not follow"},
		"other":     {block.Plain([]byte("hallo")), 0, 409, "invalid checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.Connect(t, "field", files.AgentType, nil, func(a servertest.Ask) {
				servertest.Send(t, a.Agent, wire.DownloadInfo, a.Task, info)
				servertest.Send(t, a.Agent, wire.DownloadData, a.Task, wire.DownloadDataPayload{Offset: tt.offset, Data: tt.block})
			})
			resp, body := s.Get(t, http.MethodGet, "/api/file/field/download?dir=/x&timeout=2")
			servertest.Want(t, resp, body, tt.status, tt.want)
			a.Leave()
		})
	}
	a := s.Connect(t, "field", files.AgentType, nil, func(a servertest.Ask) {
		servertest.Send(t, a.Agent, wire.DownloadInfo, a.Task, info)
		servertest.Send(t, a.Agent, wire.DownloadError, a.Task, wire.DownloadErrorPayload{Msg: "read failed"})
	})
	resp, body := s.Get(t, http.MethodGet, "/api/file/field/download?dir=/x")
	servertest.Want(t, resp, body, http.StatusServiceUnavailable, "read failed")
	a.Leave()
	gone := s.Connect(t, "field", files.AgentType, nil, func(a servertest.Ask) { go a.Leave() })
	resp, body = s.Get(t, http.MethodGet, "/api/file/field/download?dir=/x")
	servertest.Want(t, resp, body, http.StatusGone)
	gone.Leave()
}

// A client that reads nothing stops its own download and nothing else: the agent of the field sends all of it, and answers others.
func TestSlowClient(t *testing.T) {
	s, _ := start(t, files.Config{})
	h := servertest.NewHost(s)
	h.Put("/big", string(content(8<<20)))
	h.Put("/small", "small")
	s.Connect(t, "field", files.AgentType, nil, h.Answer(t))
	slow, err := s.Client.Do(s.Request(t, http.MethodGet, "/api/file/field/download?dir=/big", "", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	if _, body := s.Get(t, http.MethodGet, "/api/file/field/download?dir=/small"); body != "small" {
		t.Errorf("beside it: %q", body)
	}
	got, err := io.ReadAll(slow.Body)
	if err != nil || !bytes.Equal(got, content(8<<20)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// More transfers than the operator allows are refused, and the places come back.
func TestTransfersAreBounded(t *testing.T) {
	s, _ := start(t, files.Config{Transfers: 1})
	data := content(10)
	asked, goOn := make(chan struct{}), make(chan struct{})
	ours(t, s, data, func(a servertest.Ask, q wire.DownloadPayload) {
		close(asked)
		<-goOn
		patch(t, s, q, 0, bytes.NewReader(data))
		servertest.Send(t, a.Agent, wire.DownloadSum, a.Task, wire.DownloadSumPayload{Size: 10, SHA256: sum(data)})
	})
	first := make(chan string)
	req := s.Request(t, http.MethodGet, "/api/file/ours/download?dir=/x", "", nil)
	go func() {
		_, body := s.Do(t, req)
		first <- body
	}()
	<-asked
	resp, body := s.Get(t, http.MethodGet, "/api/file/ours/download?dir=/x")
	servertest.Want(t, resp, body, http.StatusServiceUnavailable, "too many transfers")
	close(goOn)
	if got := <-first; got != string(data) {
		t.Errorf("the first: %q", got)
	}
}

// An upload arrives whole, small ones in the message and large ones fetched, also in parts, and with the right sums.
func TestUpload(t *testing.T) {
	s, _ := start(t, files.Config{})
	for _, n := range []int{0, 5, 32 << 10, 1 << 20, 1<<20 + 1, 3_000_000} {
		data := content(n)
		for name, features := range map[string][]string{"field": nil, "ours": {wire.FeatureFiles}} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				got := make(chan wire.UploadRequest, 1)
				a := s.Connect(t, "a", files.AgentType, features, func(a servertest.Ask) {
					q := servertest.Decode(t, a.Frame, wire.Upload.Request)
					var have []byte
					var err error
					switch {
					case q.URI != "":
						have = fetchInParts(t, s, q)
					case q.Data != "":
						have, err = block.Decode(q.Data, wire.MaxInline)
					}
					if err != nil || !bytes.Equal(have, data) {
						t.Errorf("%d bytes, %v", len(have), err)
					}
					servertest.Send(t, a.Agent, wire.Upload.Reply, a.Task, wire.UploadReply{Dir: "/srv/x", OK: true})
					got <- q
				})
				defer a.Leave()
				hash := md5.Sum(data)
				limit := 1 << 20
				if features != nil {
					limit = 32 << 10
				}
				resp, body := s.PostForm(t, "/api/file/a/upload", servertest.Field{Name: "file", Filename: `C:\dir\x`, Value: string(data)},
					servertest.Field{Name: "dir", Value: "/srv"}, servertest.Field{Name: "md5", Value: hex.EncodeToString(hash[:])},
					servertest.Field{Name: "mod", Value: "4750"}, servertest.Field{Name: "own_user", Value: "u"})
				servertest.Want(t, resp, body, 200, `{"code":0}`)
				q := <-got
				if q.Name != "x" || q.Dir != "/srv" || q.Mode.String() != "urwxr-x---" || q.OwnUser != "u" || q.Size != uint64(n) || (q.URI != "") != (n > limit) {
					t.Errorf("%+v", q)
				}
				if features == nil && (q.MD5 != hash || q.SHA256 != "" || q.Detail) || features != nil && q.SHA256 != sum(data) {
					t.Errorf("sums %x %s", q.MD5, q.SHA256)
				}
				if n > limit { // the offer ends with the upload
					if status := fetchStatus(t, s, q); status != http.StatusNotFound {
						t.Errorf("afterwards: %d", status)
					}
				}
			})
		}
	}
}

func fetchStatus(t testing.TB, s *servertest.Server, q wire.UploadRequest) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.AgentAddr().String()+q.URI, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("X-Token", q.Token)
	resp, err := s.Client.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// fetchInParts fetches a file in two requests.
func fetchInParts(t testing.TB, s *servertest.Server, q wire.UploadRequest) []byte {
	t.Helper()
	var all []byte
	half := q.Size / 2
	for _, part := range []string{fmt.Sprintf("bytes=0-%d", half-1), fmt.Sprintf("bytes=%d-", half)} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.AgentAddr().String()+q.URI, nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		req.Header.Set("X-Token", q.Token)
		req.Header.Set("Range", part)
		resp, err := s.Client.Do(req)
		if err != nil {
			t.Error(err)
			return nil
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusPartialContent {
			t.Errorf("%s: %d, %v", part, resp.StatusCode, err)
		}
		all = append(all, b...)
	}
	return all
}

// There is room for so many bytes and no more.
func TestUploadRoom(t *testing.T) {
	s, _ := start(t, files.Config{Disk: 2 << 20})
	s.Connect(t, "a", files.AgentType, nil, func(servertest.Ask) {})
	resp, body := s.PostForm(t, "/api/file/a/upload", servertest.Field{Name: "dir", Value: "/srv"},
		servertest.Field{Name: "file", Filename: "x", Value: string(content(3 << 20))})
	servertest.Want(t, resp, body, http.StatusServiceUnavailable, "too much is being uploaded")
}
