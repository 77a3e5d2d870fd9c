package features_test

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server/features"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// A large file that cannot be compressed comes in the pieces of the field. Of the recorded ones three were kept, with chance between
// them; so length, shape and headers are the recorded ones, and the checksum is that of this content.
func TestRecordedBinary(t *testing.T) {
	s := servertest.Start(t, features.All()...)
	was := readFrames(t, "file-download-1mib-bin").asked[0]
	var content []byte
	s.Connect(t, "exec-01", "exec-agent", nil, func(a servertest.Ask) {
		if a.Type != wire.Download.Type() {
			return
		}
		var info wire.DownloadInfoPayload
		kept := make(map[uint64][]byte)
		for _, text := range was.answers {
			f, err := wire.Parse([]byte(text))
			if err != nil {
				t.Error(err)
			}
			if f.Type == wire.DownloadInfo.Type() {
				info = servertest.Decode(t, f, wire.DownloadInfo)
				continue
			}
			d := servertest.Decode(t, f, wire.DownloadData)
			if kept[uint64(d.Offset)], err = block.Decode(d.Data, 1<<20); err != nil {
				t.Error(err)
			}
		}
		content = make([]byte, info.Size)
		_, _ = rand.NewChaCha8([32]byte{}).Read(content) // never fails
		for offset, b := range kept {
			copy(content[offset:], b)
		}
		info.MD5 = md5.Sum(content)
		servertest.Send(t, a.Agent, wire.DownloadInfo, a.Task, info)
		offset := 0
		for b := range slices.Chunk(content, int(info.BlockSize)) {
			a.SendRaw(fmt.Sprintf(`{"type":26,"tid":%q,"download_data":{"offset":%d,"data":"$0$%s"}}`, a.Task, offset, base64.StdEncoding.EncodeToString(b)))
			offset += len(b)
		}
	})
	r := readRecorded(t, "file-download-1mib-bin")
	resp, body := s.Do(t, r.request(t, s))
	compareHeaders(t, r, resp)
	if len(content) != 1<<20 || body != string(content) || resp.StatusCode != r.Response.Status {
		t.Errorf("status %d, %d bytes of %d, or others", resp.StatusCode, len(body), len(content))
	}
}

// Log files come in the recorded zip: the same names, the same bytes.
func TestRecordedLogs(t *testing.T) {
	for _, name := range []string{"agents-logdl-ok", "agents-logdl-two"} {
		s := servertest.Start(t, features.All()...)
		s.Connect(t, "exec-02", "exec-agent", nil, readFrames(t, name).answer(t, s))
		r := readRecorded(t, name)
		resp, body := s.Do(t, r.request(t, s))
		want, got := unzip(t, r.Response.Base64), unzip(t, []byte(body))
		if resp.StatusCode != 200 || len(want) == 0 || !maps.Equal(got, want) {
			t.Errorf("%s: status %d, %q, want %q", name, resp.StatusCode, got, want)
		}
		for _, header := range []string{"Content-Type", "Content-Disposition"} {
			if got, want := resp.Header.Get(header), r.Response.Headers[header]; strings.ReplaceAll(got, `"`, "") != strings.ReplaceAll(want, `"`, "") {
				t.Errorf("%s: %s %q, recorded %q", name, header, got, want)
			}
		}
	}
}

func unzip(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(content)
	}
	return all
}

// An agent that was written by somebody else and compresses nothing is asked, and asked again.
func TestRecordedRaw(t *testing.T) {
	s := servertest.Start(t, features.All()...)
	s.Connect(t, "example-raw", "example-agent", nil, func(a servertest.Ask) {
		b, err := json.Marshal(map[string]any{"tid": a.Task, "type": wire.Foo.Reply.Type()}) // the members in another order
		if err != nil {
			t.Error(err)
		}
		a.SendRaw(" " + string(b) + "\n")
	})
	for _, name := range []string{"raw-foo", "raw-foo2"} {
		r := readRecorded(t, name)
		resp, body := s.Do(t, r.request(t, s))
		compare(t, r, resp, body)
	}
}
