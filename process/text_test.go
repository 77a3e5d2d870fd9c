package process_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/process"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func gbk(t testing.TB, text string) string {
	t.Helper()
	b, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// convert writes a text in pieces of a size.
func convert(t testing.TB, text string, size int) string {
	t.Helper()
	var out bytes.Buffer
	w := process.NewText(&out)
	for i := 0; i < len(text); i += size {
		if _, err := w.Write([]byte(text[i:min(i+size, len(text))])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// failing is an output whose disk is full.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Output of programs that speak GBK can be read, wherever it was cut; everything else comes as it was written.
func TestText(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"ASCII":             {"plain\r\ntext", "plain\r\ntext"},
		"UTF-8":             {"日志：完成\né\n", "日志：完成\né\n"},
		"GBK":               {gbk(t, "目录 联通 完成\n第二行"), "目录 联通 完成\n第二行"},
		"both, by lines":    {"é日\n" + gbk(t, "文件\n") + "日\n", "é日\n文件\n日\n"},
		"Latin-1":           {"\xe9t\xe9 \xe0 la caf\xe9\n", "\xe9t\xe9 \xe0 la caf\xe9\n"},
		"binary":            {"\x7fELF\x00" + gbk(t, "文件"), "\x7fELF\x00" + gbk(t, "文件")},
		"half a character":  {gbk(t, "文件")[:3], gbk(t, "文件")[:3]},
		"half of UTF-8":     {"日"[:2], "日"[:2]},
		"a line of 100 KiB": {gbk(t, strings.Repeat("长", 50<<10)), strings.Repeat("长", 50<<10)},
	} {
		for _, size := range []int{1, 2, 3, 7, 4096, 1 << 20} {
			if got := convert(t, tt.in, size); got != tt.want {
				t.Errorf("%s in pieces of %d: %.60q, want %.60q", name, size, got, tt.want)
			}
		}
	}
}

// Who waits for a prompt sees it, though its line has no end.
func TestTextFlush(t *testing.T) {
	for name, in := range map[string]string{"GBK": gbk(t, "请输入"), "UTF-8": "请输入"} {
		var out bytes.Buffer
		w := process.NewText(&out)
		if _, err := w.Write([]byte(in[:len(in)-1])); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil || out.String() != "请输" {
			t.Errorf("%s: %q, %v after Flush", name, out.String(), err)
		}
		if _, err := w.Write([]byte(in[len(in)-1:] + "\n")); err != nil || out.String() != "请输入\n" {
			t.Errorf("%s: %q, %v after the other half", name, out.String(), err)
		}
	}
}

// A full disk below is told to whoever writes.
func TestTextFails(t *testing.T) {
	w := process.NewText(iotest.TruncateWriter(failing{}, 1000))
	for _, text := range []string{"a", "文\n", "\x00", gbk(t, "文") + "\n"} {
		if _, err := process.NewText(failing{}).Write([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	if _, err := w.Write([]byte("文")); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err == nil {
		t.Error("no error of Close")
	}
}

// What is valid UTF-8 stays as it is and what comes out does not depend on where the input was cut.
func FuzzText(f *testing.F) {
	f.Add([]byte("日志\n\xce\xc4\xbc\xfe\n"), 3)
	f.Add([]byte("caf\xe9 \x00 \xb0"), 1)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		whole := convert(t, string(in), len(in)+1)
		if utf8.Valid(in) && whole != string(in) {
			t.Errorf("%q became %q", in, whole)
		}
		if bytes.IndexByte(in, 0) >= 0 || len(in) > 4<<10 {
			return // what comes before a zero byte, or is judged for its length, depends on it
		}
		if got := convert(t, string(in), max(1, size&15)); got != whole {
			t.Errorf("%q in pieces became %q, as a whole %q", in, got, whole)
		}
	})
}
