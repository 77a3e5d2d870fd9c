package remote_test

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

// spring gives a file that grows: some of it, and then what it is told to do.
type spring struct {
	data  []byte
	order wire.UploadRequest // in the end; without a sum, the file is not wanted
	most  int                // bytes in one answer; 0 for all

	mu    sync.Mutex // guards what follows
	cuts  []int      // how many bytes each of the first answers has before it breaks off
	gone  bool       // afterwards nobody wants the file any more
	asked []string
}

// grown is a spring of data that is what its order says.
func grown(data []byte) *spring {
	return &spring{data: data, order: wire.UploadRequest{Mode: 0o640, Size: uint64(len(data)), SHA256: hexSum(data)}}
}

// answer is what follows an offset.
func (s *spring) answer(from int) []byte {
	to := len(s.data)
	if s.most > 0 {
		to = min(to, from+s.most)
	}
	var b []byte
	for p := range slices.Chunk(s.data[from:to], 300_000) {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	end := wire.UploadEnd{More: to < len(s.data)}
	if !end.More && s.order.SHA256 != "" {
		end.Order = &s.order
	}
	text, err := json.Marshal(end)
	if err != nil {
		panic(err)
	}
	return append(append(b, 0, 0, 0, 0), text...)
}

func (s *spring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := r.Header.Get("Upload-Offset")
	s.asked = append(s.asked, at)
	from, err := strconv.Atoi(at)
	if err != nil || r.Header.Get("X-Token") != "the token" {
		http.Error(w, "what?", http.StatusBadRequest)
		return
	}
	if len(s.cuts) == 0 && s.gone {
		http.Error(w, "gone", http.StatusGone)
		return
	}
	w.Header().Set("Upload-Offset", at)
	rest := s.answer(from)
	if len(s.cuts) > 0 {
		n := s.cuts[0]
		s.cuts = s.cuts[1:]
		_, _ = w.Write(rest[:n])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(rest)
}

// A file that grows comes whole, also when the connection breaks, wherever that is; and what breaks off for good, is something
// else than its sum says, or larger than the policy allows, leaves the old file there and nothing beside it.
func TestUploadGrows(t *testing.T) {
	data := random(t, 1<<20)
	const most = 2 << 20
	other := func(s *spring, change func(q *wire.UploadRequest)) *spring {
		change(&s.order)
		return s
	}
	whole := md5.Sum(data)
	for name, tt := range map[string]struct {
		s     *spring
		why   string
		asked int
	}{
		"whole":                {s: grown(data), asked: 1},
		"empty":                {s: grown(nil), asked: 1},
		"in many answers":      {s: &spring{data: data, order: grown(data).order, most: 100_001}, asked: 11},
		"lost in the content":  {s: &spring{data: data, order: grown(data).order, cuts: []int{300_000, 5}}, asked: 3},
		"lost in a length":     {s: &spring{data: data, order: grown(data).order, cuts: []int{300_004 + 2, 2}}, asked: 3},
		"lost in the end":      {s: &spring{data: data, order: grown(data).order, cuts: []int{len(data) + 40}}, asked: 2},
		"gone after a while":   {s: &spring{data: data, cuts: []int{300_000}, gone: true}, why: wire.WhyFailed, asked: 2},
		"gone before the end":  {s: &spring{data: data, cuts: []int{len(data) + 16}, gone: true}, why: wire.WhyFailed, asked: 2},
		"not wanted":           {s: &spring{data: data}, why: wire.WhyFailed, asked: 1},
		"something else":       {s: other(grown(data), func(q *wire.UploadRequest) { q.SHA256 = hexSum(nil) }), why: wire.WhyChecksum, asked: 1},
		"no sum at all":        {s: other(grown(data), func(q *wire.UploadRequest) { q.SHA256 = "x" }), why: wire.WhyChecksum, asked: 1},
		"another size":         {s: other(grown(data), func(q *wire.UploadRequest) { q.Size++ }), why: wire.WhyChecksum, asked: 1},
		"a late md5":           {s: other(grown(data), func(q *wire.UploadRequest) { q.MD5, q.MD5Check = whole, true }), asked: 1},
		"a wrong md5":          {s: other(grown(data), func(q *wire.UploadRequest) { q.MD5Check = true }), why: wire.WhyChecksum, asked: 1},
		"a late mode":          {s: other(grown(data), func(q *wire.UploadRequest) { q.Mode = 0o604 }), asked: 1},
		"a mode that may not":  {s: other(grown(data), func(q *wire.UploadRequest) { q.Mode |= fs.ModeSetuid }), why: wire.WhyPolicy, asked: 1},
		"a late owner":         {s: other(grown(data), func(q *wire.UploadRequest) { q.OwnUser = "nobody-has-this-name" }), why: wire.WhyNoUser, asked: 1},
		"more than is allowed": {s: grown(make([]byte, most+1)), why: wire.WhyNoSpace, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f := start(t, "file.write = "+dir+"\nfile.size = "+strconv.Itoa(most)+"\n", nil)
			f.Respond(tt.s)
			file := filepath.Join(dir, "f")
			put(t, file, "old")
			r, err := agenttest.Call(f.s, wire.Upload, wire.UploadRequest{
				Dir: dir, Name: "f", Mode: 0o640, URI: "/file/1", Token: "the token", Detail: true, Grows: true,
			})
			must(t, err)
			want := tt.s.data
			if tt.why != "" {
				want = []byte("old")
				if r.OK || r.Why != tt.why {
					t.Errorf("%+v", r)
				}
			} else if !r.OK || r.Size != uint64(len(want)) || r.SHA256 != hexSum(want) {
				t.Errorf("%+v", r)
			}
			if info, err := os.Stat(file); err == nil && tt.why == "" && info.Mode() != tt.s.order.Mode {
				t.Errorf("mode %v, want %v", info.Mode(), tt.s.order.Mode)
			}
			if got := read(t, file); !bytes.Equal(got, want) {
				t.Errorf("%d bytes of %d are there", len(got), len(want))
			}
			if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
				t.Errorf("%v, %v", names, err)
			}
			tt.s.mu.Lock()
			defer tt.s.mu.Unlock()
			if len(tt.s.asked) != tt.asked {
				t.Errorf("asked from %q", tt.s.asked)
			}
		})
	}
}
