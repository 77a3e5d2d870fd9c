package block_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
	"github.com/klauspost/compress/zstd"
)

const limit = 1 << 20

func TestRoundTrip(t *testing.T) {
	random := make([]byte, 32768)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for _, tt := range []struct {
		name   string
		data   []byte
		marker string
	}{
		{"text", []byte(strings.Repeat("a line of text\n", 1000)), "$2$"},
		{"empty", nil, "$2$"}, // as peers of the field do: nothing is text
		{"binary", random, "$0$"},
		{"HTML", []byte("<html><body>hi</body></html>"), "$0$"},
		{"GBK", []byte{0xc4, 0xe3, 0xba, 0xc3, '\n'}, "$2$"},
	} {
		b := block.Encode(tt.data)
		if !strings.HasPrefix(string(b), tt.marker) {
			t.Errorf("%s became %.10q, peers of the field write %s", tt.name, b, tt.marker)
		}
		if got, err := block.Decode(b, limit); !bytes.Equal(got, tt.data) || err != nil {
			t.Errorf("%s: %d bytes came back as %d, %v", tt.name, len(tt.data), len(got), err)
		}
		if got, err := block.Decode(block.Plain(tt.data), limit); !bytes.Equal(got, tt.data) || err != nil {
			t.Errorf("%s plain: %d bytes came back as %d, %v", tt.name, len(tt.data), len(got), err)
		}
	}
}

// What peers of the field sent is decoded to the files that they were made of: their MD5 was recorded too.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob(filepath.FromSlash("../testdata/recorded/exec-file-download-*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range files {
		info, whole := replay(t, file)
		if !info.OK || uint64(len(whole)) != info.Size {
			continue // a refusal, or a recording that was cut
		}
		if md5.Sum(whole) != info.MD5 {
			t.Errorf("%s: the file of %d bytes has another MD5", file, len(whole))
		}
		checked++
	}
	if checked < 5 {
		t.Errorf("only %d of %d recordings hold a whole file", checked, len(files))
	}
	if got, err := block.Decode(wire.Block("$1$"+base64.StdEncoding.EncodeToString(gzipOf("gzip"))), limit); string(got) != "gzip" || err != nil {
		t.Errorf("gzip: %q, %v", got, err)
	}
}

// replay returns what a recording of one download says of the file, and the file.
func replay(t *testing.T, file string) (info wire.DownloadInfoPayload, whole []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var rec struct{ Frame json.RawMessage }
		if err := json.Unmarshal(line, &rec); err != nil {
			t.Fatal(err)
		}
		if rec.Frame == nil {
			continue
		}
		f, err := wire.Parse(rec.Frame)
		if err != nil {
			t.Fatal(err)
		}
		switch f.Type {
		case wire.DownloadInfo.Type():
			if info, err = wire.DownloadInfo.Decode(f); err != nil {
				t.Fatal(err)
			}
		case wire.DownloadData.Type():
			d, err := wire.DownloadData.Decode(f)
			if err != nil {
				t.Fatal(err)
			}
			b, err := block.Decode(d.Data, limit)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if uint64(len(whole)) == d.Offset {
				whole = append(whole, b...)
			}
		}
	}
	return info, whole
}

func gzipOf(s string) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write([]byte(s))
	w.Close()
	return buf.Bytes()
}

// A peer must not fill our memory with a small block.
func TestLimit(t *testing.T) {
	zeros := make([]byte, 64<<20)
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bombs := map[string]wire.Block{
		"plain": block.Plain(zeros[:2*limit]),
		"gzip":  wire.Block("$1$" + base64.StdEncoding.EncodeToString(gzipOf(string(zeros)))),
		"zstd":  wire.Block("$2$" + base64.StdEncoding.EncodeToString(e.EncodeAll(zeros, nil))),
	}
	for name, b := range bombs {
		var got []byte
		r := testing.Benchmark(func(bm *testing.B) {
			for bm.Loop() {
				got, err = block.Decode(b, limit)
			}
		})
		if !errors.Is(err, block.ErrTooBig) || got != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if n := r.AllocedBytesPerOp(); n > 16*limit {
			t.Errorf("%s: a block of %d bytes took %d bytes of memory", name, len(b), n)
		}
	}
	for _, n := range []int{limit - 1, limit, limit + 1} {
		if _, err := block.Decode(block.Plain(zeros[:n]), limit); (err != nil) != (n > limit) {
			t.Errorf("a block of %d bytes under a limit of %d: %v", n, limit, err)
		}
	}
}

// A caller that wants no limit gives the largest number there is.
func TestNoLimit(t *testing.T) {
	for _, limit := range []int{math.MaxInt, math.MaxInt - 1, math.MaxInt - 2} {
		for _, b := range []wire.Block{
			block.Plain([]byte("text")), block.Encode([]byte("text")),
			wire.Block("$1$" + base64.StdEncoding.EncodeToString(gzipOf("text"))),
		} {
			if got, err := block.Decode(b, limit); string(got) != "text" || err != nil {
				t.Errorf("%s with a limit of %d: %q, %v", b, limit, got, err)
			}
		}
	}
}

func TestBadBlocks(t *testing.T) {
	for _, b := range []wire.Block{"", "$", "$0", "$3$AA==", "AA==", "$0$A", "$0$!!", "$1$AA==", "$1$", "$2$AA==", "$2$AAAAAAAA", "$1$H4sIAAAA"} {
		if got, err := block.Decode(b, limit); err == nil {
			t.Errorf("%q: %q", b, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"$0$AAEC", string(block.Encode([]byte("some text"))), "$1$" + base64.StdEncoding.EncodeToString(gzipOf("x")), "$2$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		data, err := block.Decode(wire.Block(s), 4096)
		if err != nil {
			return
		}
		if len(data) > 4096 {
			t.Errorf("%d bytes", len(data))
		}
		if again, err := block.Decode(block.Encode(data), 4096); !bytes.Equal(again, data) || err != nil {
			t.Errorf("%q came back as %q, %v", data, again, err)
		}
	})
}

func Example() {
	b := block.Encode([]byte("hello\n"))
	data, err := block.Decode(b, 1<<20)
	fmt.Printf("%s %q %v\n", b[:3], data, err)
	// Output: $2$ "hello\n" <nil>
}
