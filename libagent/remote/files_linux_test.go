package remote_test

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

func random(t testing.TB, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	_, err := rand.Read(b)
	must(t, err)
	return b
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// collect takes a download in frames, as servers of the field do.
func collect(t testing.TB, s *agenttest.Session, task string) (info wire.DownloadInfoPayload, data []byte, failure string) {
	t.Helper()
	info, err := agenttest.Reply(s, task, wire.DownloadInfo)
	must(t, err)
	for info.OK && uint64(len(data)) < info.Size {
		f, err := s.Next()
		must(t, err)
		if f.Type == wire.DownloadError.Type() {
			p, err := wire.DownloadError.Decode(f)
			must(t, err)
			return info, data, p.Msg
		}
		p, err := wire.DownloadData.Decode(f)
		must(t, err)
		b, err := block.Decode(p.Data, 1<<20)
		must(t, err)
		if p.Offset != uint64(len(data)) {
			t.Fatalf("offset %d after %d bytes", p.Offset, len(data))
		}
		data = append(data, b...)
	}
	return info, data, ""
}

func TestDownloadInFrames(t *testing.T) {
	f := start(t, all, &agenttest.Options{Old: true})
	for name, data := range map[string][]byte{"empty": {}, "text": bytes.Repeat([]byte("line\n"), 20_000), "random": random(t, 100_001), "one block": random(t, 32<<10)} {
		file := filepath.Join(f.dir, name)
		must(t, os.WriteFile(file, data, 0o600))
		info, got, failure := collect(t, f.s, agenttest.Send(f.s, wire.Download, wire.DownloadPayload{Dir: file}))
		if !info.OK || info.MD5 != md5.Sum(data) || info.BlockSize != 32<<10 || !bytes.Equal(got, data) || failure != "" {
			t.Errorf("%s: %+v, %d bytes, %s", name, info, len(got), failure)
		}
	}
	for _, path := range []string{f.dir, f.dir + "/none", "relative", "/dev/zero"} {
		info, _, _ := collect(t, f.s, agenttest.Send(f.s, wire.Download, wire.DownloadPayload{Dir: path}))
		if info.OK || info.Msg == "" || info.Why != "" || info.Dir != path {
			t.Errorf("%s: %+v", path, info)
		}
	}
}

// place is where a server of ours takes files from and gives them: it loses connections in the middle.
type place struct {
	mu      sync.Mutex // guards what follows
	data    []byte     // of uploads
	got     []byte     // of downloads
	lose    int        // so many transfers are cut after about a third
	ranges  bool       // Range is honoured
	asked   []string
	refused int // status for everything
}

func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, strings.TrimSpace(r.Method+" "+r.Header.Get("Range")+r.Header.Get("Upload-Offset")))
	switch {
	case r.Header.Get("X-Token") != "the token":
		http.Error(w, "access denied", http.StatusForbidden)
	case p.refused != 0:
		http.Error(w, "refused", p.refused)
	case r.Method == http.MethodGet && p.lose > 0:
		p.lose--
		start := 0
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &start); err == nil && p.ranges {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(p.data)-1, len(p.data)))
			w.Header().Set("Content-Length", strconv.Itoa(len(p.data)-start))
			w.WriteHeader(http.StatusPartialContent)
		} else {
			start = 0
			w.Header().Set("Content-Length", strconv.Itoa(len(p.data)))
		}
		_, _ = w.Write(p.data[start : start+(len(p.data)-start)/3])
		panic(http.ErrAbortHandler)
	case r.Method == http.MethodGet && p.ranges:
		http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(p.data))
	case r.Method == http.MethodGet:
		_, _ = w.Write(p.data)
	case r.Method == http.MethodHead:
		w.Header().Set("Upload-Offset", strconv.Itoa(len(p.got)))
	case r.Method == http.MethodPatch:
		if off, err := strconv.Atoi(r.Header.Get("Upload-Offset")); err != nil || off != len(p.got) {
			http.Error(w, "wrong offset", http.StatusConflict)
			return
		}
		if p.lose > 0 {
			p.lose--
			part, _ := io.ReadAll(io.LimitReader(r.Body, r.ContentLength/3))
			p.got = append(p.got, part...)
			panic(http.ErrAbortHandler)
		}
		rest, _ := io.ReadAll(r.Body)
		p.got = append(p.got, rest...)
		w.WriteHeader(http.StatusNoContent)
	}
}

// A file of any size comes whole, whatever happens to the connection on the way, from a server that can go on in the middle and
// from one that cannot.
func TestUploadFromServer(t *testing.T) {
	data := random(t, 3<<20)
	for name, p := range map[string]*place{
		"whole":            {ranges: true},
		"lost twice":       {ranges: true, lose: 2},
		"an old server":    {},
		"old and lost":     {lose: 1},
		"lost six times":   {ranges: true, lose: 6},
		"gone after a bit": {ranges: true, refused: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.data = data
			f := start(t, all, nil)
			f.Respond(p)
			q := wire.UploadRequest{Dir: f.dir + "/made", Name: "f", Mode: 0o640, Size: uint64(len(data)), MD5: md5.Sum(data), URI: "/file/1", Token: "the token", Detail: true}
			if p.ranges {
				q.MD5, q.SHA256 = [16]byte{}, hexSum(data)
			}
			r, err := agenttest.Call(f.s, wire.Upload, q)
			must(t, err)
			if p.refused != 0 {
				if r.OK || !strings.Contains(r.Msg, "404") || len(p.asked) != 1 {
					t.Errorf("%+v after %q", r, p.asked)
				}
				return
			}
			got, err := os.ReadFile(r.Dir)
			if !r.OK || err != nil || !bytes.Equal(got, data) {
				t.Errorf("%+v, %d bytes, %v, %q", r, len(got), err, p.asked)
			}
			if name == "lost twice" && (len(p.asked) != 3 || p.asked[1] == "GET") {
				t.Errorf("asked for %q: want the rest", p.asked)
			}
		})
	}
}

// What does not fit what was announced is not written.
func TestUploadRefused(t *testing.T) {
	f := start(t, "file.write = "+t.TempDir()+"\nfile.size = 100\n", nil)
	f.Respond(&place{data: []byte("12345")})
	dir := strings.TrimSuffix(strings.TrimPrefix(string(read(t, f.policy)), "file.write = "), "\nfile.size = 100\n")
	ok := wire.UploadRequest{Dir: dir, Name: "f", Mode: 0o600, Size: 5, URI: "/x", Token: "the token", SHA256: hexSum([]byte("12345")), Detail: true}
	for name, tt := range map[string]struct {
		change func(q *wire.UploadRequest)
		why    string
	}{
		"sum":         {func(q *wire.UploadRequest) { q.SHA256 = hexSum(nil) }, wire.WhyChecksum},
		"MD5":         {func(q *wire.UploadRequest) { q.SHA256, q.MD5 = "", [16]byte{1} }, wire.WhyChecksum},
		"no sum":      {func(q *wire.UploadRequest) { q.SHA256 = "zz" }, wire.WhyChecksum},
		"long":        {func(q *wire.UploadRequest) { q.Size = 4 }, wire.WhyChecksum},
		"token":       {func(q *wire.UploadRequest) { q.Token = "wrong" }, wire.WhyFailed},
		"elsewhere":   {func(q *wire.UploadRequest) { q.URI = "http://127.0.0.1:1/x" }, wire.WhyFailed},
		"folder":      {func(q *wire.UploadRequest) { q.Dir = "/etc" }, wire.WhyPolicy},
		"name":        {func(q *wire.UploadRequest) { q.Name = "../f" }, wire.WhyFailed},
		"large":       {func(q *wire.UploadRequest) { q.Size = 101 }, wire.WhyNoSpace},
		"huge":        {func(q *wire.UploadRequest) { q.Size = 1 << 63 }, wire.WhyNoSpace},
		"setuid":      {func(q *wire.UploadRequest) { q.Mode |= os.ModeSetuid }, wire.WhyPolicy},
		"owner":       {func(q *wire.UploadRequest) { q.OwnUser = "no-such-user" }, wire.WhyNoUser},
		"bad block":   {func(q *wire.UploadRequest) { q.URI, q.Data = "", "$9$" }, wire.WhyFailed},
		"temp folder": {func(q *wire.UploadRequest) { q.Dir = wire.TempDir }, wire.WhyPolicy},
	} {
		q := ok
		tt.change(&q)
		r, err := agenttest.Call(f.s, wire.Upload, q)
		if err != nil || r.OK || r.Why != tt.why || r.Msg == "" {
			t.Errorf("%s: %+v, %v, want %s", name, r, err, tt.why)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	if r, err := agenttest.Call(f.s, wire.Upload, ok); err != nil || !r.OK {
		t.Errorf("what is right: %+v, %v", r, err)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	must(t, err)
	return b
}

// A server of ours gets a file beside the connection, from any place on, whatever happens on the way, with a sum of all of it.
func TestDownloadToServer(t *testing.T) {
	for name, tt := range map[string]struct {
		size, offset, lose, refused int
	}{
		"whole": {size: 3 << 20}, "lost twice": {size: 3 << 20, lose: 2}, "from the middle": {size: 1 << 20, offset: 999_999},
		"empty": {}, "had all": {size: 10, offset: 10}, "not wanted": {size: 10, refused: http.StatusGone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := random(t, tt.size)
			p := &place{got: bytes.Clone(data[:tt.offset]), lose: tt.lose, refused: tt.refused}
			f := start(t, all, nil)
			f.Respond(p)
			file := f.dir + "/f"
			must(t, os.WriteFile(file, data, 0o600))
			task := agenttest.Send(f.s, wire.Download, wire.DownloadPayload{Dir: file, URI: "/file/1", Token: "the token", Offset: uint64(tt.offset), Detail: true})
			info, err := agenttest.Reply(f.s, task, wire.DownloadInfo)
			must(t, err)
			if !info.OK || info.Size != uint64(tt.size) || info.ModTime == nil {
				t.Errorf("%+v", info)
			}
			if tt.refused != 0 {
				if e, err := agenttest.Reply(f.s, task, wire.DownloadError); err != nil || e.Why != wire.WhyFailed {
					t.Errorf("%+v, %v", e, err)
				}
				return
			}
			sum, err := agenttest.Reply(f.s, task, wire.DownloadSum)
			must(t, err)
			if sum.Size != info.Size || sum.SHA256 != hexSum(data) || !bytes.Equal(p.got, data) {
				t.Errorf("%+v, %d bytes, %q", sum, len(p.got), p.asked)
			}
		})
	}
}

// What cannot be read is told apart.
func TestDownloadRefused(t *testing.T) {
	f := start(t, "file.read = /etc\n", nil)
	for path, why := range map[string]string{"/etc/none": wire.WhyNotFound, "/etc": wire.WhyNotFile, "/proc/uptime": wire.WhyPolicy, "": wire.WhyFailed} {
		task := agenttest.Send(f.s, wire.Download, wire.DownloadPayload{Dir: path, URI: "/x", Detail: true})
		if info, err := agenttest.Reply(f.s, task, wire.DownloadInfo); err != nil || info.OK || info.Why != why || info.Msg == "" {
			t.Errorf("%q: %+v, %v", path, info, err)
		}
	}
	task := agenttest.Send(f.s, wire.Download, wire.DownloadPayload{Dir: "/etc/passwd", URI: "/x", Offset: 1 << 40, Detail: true})
	if info, err := agenttest.Reply(f.s, task, wire.DownloadInfo); err != nil || info.OK || info.Why != wire.WhyChanged {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestLs(t *testing.T) {
	f := start(t, "file.read = /etc\n", nil)
	r, err := agenttest.Call(f.s, wire.Ls, wire.LsRequest{Dir: "/etc"})
	if err != nil || !r.OK || len(r.Files) < 5 || r.Dir != "/etc" {
		t.Errorf("%d files, %s, %v", len(r.Files), r.Msg, err)
	}
	for dir, why := range map[string]string{"/": wire.WhyPolicy, "/etc/none": wire.WhyNotFound, "/etc/passwd": wire.WhyNotFile} {
		if r, err := agenttest.Call(f.s, wire.Ls, wire.LsRequest{Dir: dir, Detail: true}); err != nil || r.OK || r.Why != why {
			t.Errorf("%s: %+v, %v", dir, r, err)
		}
	}
}

// Fifty uploads at once.
func TestManyUploads(t *testing.T) {
	data := random(t, 2<<20)
	f := start(t, all, nil)
	f.Respond(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }))
	var tasks []string
	for i := range 50 {
		tasks = append(tasks, agenttest.Send(f.s, wire.Upload.Request, wire.UploadRequest{
			Dir: f.dir + "/many", Name: strconv.Itoa(i), Mode: 0o600, Size: uint64(len(data)), SHA256: hexSum(data), URI: "/x", Token: "the token",
		}))
	}
	for _, task := range tasks {
		if r, err := agenttest.Reply(f.s, task, wire.Upload.Reply); err != nil || !r.OK {
			t.Errorf("%+v, %v", r, errors.Join(err))
		}
	}
	if files, err := os.ReadDir(f.dir + "/many"); err != nil || len(files) != 50 {
		t.Errorf("%d files, %v", len(files), err)
	}
}
