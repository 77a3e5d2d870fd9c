package remote_test

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

// spring gives a file that grows: some of it, and then what it is told to do.
type spring struct {
	data []byte
	sum  [sha256.Size]byte

	mu    sync.Mutex // guards what follows
	cuts  []int      // how many bytes each of the first answers has before it breaks off
	gone  bool       // afterwards nobody wants the file any more
	asked []string
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
	rest := append(bytes.Clone(s.data[from:]), s.sum[:]...)
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
	sum := sha256.Sum256(data)
	const most = 2 << 20
	for name, tt := range map[string]struct {
		s     *spring
		why   string
		asked int
	}{
		"whole":                {s: &spring{data: data, sum: sum}, asked: 1},
		"empty":                {s: &spring{sum: sha256.Sum256(nil)}, asked: 1},
		"shorter than a sum":   {s: &spring{data: data[:7], sum: sha256.Sum256(data[:7])}, asked: 1},
		"lost in the content":  {s: &spring{data: data, sum: sum, cuts: []int{300_000, 5}}, asked: 3},
		"lost in the sum":      {s: &spring{data: data, sum: sum, cuts: []int{len(data) + 31}}, asked: 2},
		"gone after a while":   {s: &spring{data: data, sum: sum, cuts: []int{300_000}, gone: true}, why: wire.WhyFailed, asked: 2},
		"gone before the sum":  {s: &spring{data: data, sum: sum, cuts: []int{len(data)}, gone: true}, why: wire.WhyFailed, asked: 2},
		"not wanted":           {s: &spring{data: data}, why: wire.WhyFailed, asked: 1},
		"something else":       {s: &spring{data: data, sum: sha256.Sum256(nil)}, why: wire.WhyChecksum, asked: 1},
		"more than is allowed": {s: &spring{data: make([]byte, most+1)}, why: wire.WhyNoSpace, asked: 1},
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
