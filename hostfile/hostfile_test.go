package hostfile_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/hostfile"
)

// house makes a folder that is allowed, with one beside it that is not.
func house(t testing.TB) (a *hostfile.Access, in, out string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in, out = filepath.Join(dir, "in"), filepath.Join(dir, "out")
	for _, d := range []string{in, out} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, out+"/secret", "secret")
	return &hostfile.Access{Read: []string{in}, Write: []string{in}}, in, out
}

func put(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	return string(data)
}

func read(a *hostfile.Access, file string) (string, error) {
	r, err := a.Open(file)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

func write(a *hostfile.Access, t hostfile.Target, text string) error {
	if t.Size == 0 {
		t.Size = int64(len(text))
	}
	w, err := a.Create(t)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil {
		w.Abort()
		return err
	}
	return w.Commit()
}

// only checks that a folder has these names and no temporary file.
func only(t testing.TB, dir string, want ...string) {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("%s has %q, want %q", filepath.Base(dir), names, want)
	}
}

func TestRead(t *testing.T) {
	a, in, _ := house(t)
	big := strings.Repeat("0123456789", 100_000)
	put(t, in+"/big", big)
	put(t, in+"/empty", "")
	for name, want := range map[string]string{"big": big, "empty": "", "./x/../big": big} {
		if got, err := read(a, in+"/"+name); got != want || err != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	r, err := a.Open(in + "/big")
	must(t, err)
	defer r.Close()
	if _, err := r.Seek(999_995, io.SeekStart); err != nil || r.Size() != 1_000_000 || time.Since(r.ModTime()) > time.Hour {
		t.Error(r.Size(), r.ModTime(), err)
	}
	if rest, err := io.ReadAll(r); string(rest) != "56789" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if _, err := r.Seek(1_000_001, io.SeekStart); !errors.Is(err, hostfile.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

// A file that is not any more what it was is never taken for whole.
func TestReadOfWhatChanges(t *testing.T) {
	for name, change := range map[string]func(file string) error{
		"grows": func(file string) error {
			f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("more")
				err = errors.Join(err, f.Close())
			}
			return err
		},
		"shrinks":     func(file string) error { return os.Truncate(file, 3) },
		"is replaced": func(file string) error { return os.WriteFile(file, []byte("0123456789"), 0o600) },
	} {
		a, in, _ := house(t)
		put(t, in+"/f", "abcdefghij")
		must(t, os.Chtimes(in+"/f", time.Time{}, time.Now().Add(-time.Hour)))
		r, err := a.Open(in + "/f")
		must(t, err)
		if _, err := io.ReadFull(r, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		must(t, change(in+"/f"))
		if _, err := io.ReadAll(r); !errors.Is(err, hostfile.ErrChanged) {
			t.Errorf("%s: error %v, want ErrChanged", name, err)
		}
		r.Close()
	}
}

func TestWrite(t *testing.T) {
	a, in, _ := house(t)
	text := strings.Repeat("content\n", 10_000)
	m, s := md5.Sum([]byte(text)), sha256.Sum256([]byte(text))
	target := hostfile.Target{Dir: in + "/made/as/needed", Name: "f", MD5: &m, SHA256: &s, Mode: 0o751}
	must(t, write(a, target, text))
	if got := get(t, target.Dir+"/f"); got != text {
		t.Errorf("%d bytes", len(got))
	}
	only(t, target.Dir, "f")
	must(t, write(a, hostfile.Target{Dir: in, Name: "empty"}, ""))
	if got := get(t, in+"/empty"); got != "" {
		t.Errorf("%q", got)
	}
	w, err := a.Create(hostfile.Target{Dir: in, Name: "again", Size: 3})
	must(t, err)
	if _, err := io.WriteString(w, "x"); err != nil || w.Offset() != 1 || w.Path() != filepath.Join(in, "again") {
		t.Error(w.Offset(), w.Path(), err)
	}
	must(t, w.Reset())
	if _, err := io.WriteString(w, "yes"); err != nil {
		t.Error(err)
	}
	must(t, w.Commit())
	w.Abort() // too late to change anything
	if got := get(t, in+"/again"); got != "yes" {
		t.Errorf("%q", got)
	}
}

// Whatever goes wrong, the file that was there is there as it was, and nothing else.
func TestOldFileStays(t *testing.T) {
	wrong := md5.Sum([]byte("other"))
	wrong256 := sha256.Sum256([]byte("other"))
	for name, tt := range map[string]struct {
		target hostfile.Target
		text   string
		want   error
	}{
		"MD5":      {hostfile.Target{MD5: &wrong}, "new", hostfile.ErrChecksum},
		"SHA-256":  {hostfile.Target{SHA256: &wrong256}, "new", hostfile.ErrChecksum},
		"short":    {hostfile.Target{Size: 10}, "new", hostfile.ErrSize},
		"long":     {hostfile.Target{Size: 1}, "new", hostfile.ErrSize},
		"setuid":   {hostfile.Target{Mode: 0o755 | fs.ModeSetuid}, "new", hostfile.ErrMode},
		"folder":   {hostfile.Target{Mode: 0o755 | fs.ModeDir}, "new", hostfile.ErrNotFile},
		"large":    {hostfile.Target{Size: 101}, "new", hostfile.ErrTooLarge},
		"owner":    {hostfile.Target{Owner: "no-such-user"}, "new", hostfile.ErrNoUser},
		"group":    {hostfile.Target{Group: "no-such-group"}, "new", hostfile.ErrNoUser},
		"negative": {hostfile.Target{Size: -1}, "new", hostfile.ErrSize},
	} {
		a, in, _ := house(t)
		a.Size = 100
		put(t, in+"/f", "old")
		tt.target.Dir, tt.target.Name = in, "f"
		if err := write(a, tt.target, tt.text); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
		if got := get(t, in+"/f"); got != "old" {
			t.Errorf("%s: %q", name, got)
		}
		only(t, in, "f")
	}
}

func TestNames(t *testing.T) {
	a, in, _ := house(t)
	for _, name := range []string{"", ".", "..", "a/b", "/etc/passwd", "../out/x", "a\x00b"} {
		if err := write(a, hostfile.Target{Dir: in, Name: name}, "x"); !errors.Is(err, hostfile.ErrInvalid) {
			t.Errorf("%q: error %v", name, err)
		}
	}
	for _, path := range []string{"", "relative", "../in/f", "/a\x00b"} {
		if _, err := a.Open(path); !errors.Is(err, hostfile.ErrInvalid) {
			t.Errorf("%q: error %v", path, err)
		}
	}
	if _, err := a.Open(in + "/none"); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), in) != 1 {
		t.Errorf("error %v", err)
	}
}

// Nothing outside of the folders is read, listed or written, by no path and no link.
func TestConfined(t *testing.T) {
	a, in, out := house(t)
	must(t, os.Symlink("../out", in+"/relative"))
	must(t, os.Symlink(out, in+"/absolute"))
	must(t, os.Symlink(out+"/secret", in+"/file"))
	for _, path := range []string{out + "/secret", in + "/../out/secret", in + "/relative/secret", in + "/absolute/secret", in + "/file", in + "x/f"} {
		if text, err := read(a, path); err == nil || !errors.Is(err, hostfile.ErrOutside) {
			t.Errorf("read %s: %q, %v", path, text, err)
		}
	}
	for _, dir := range []string{out, in + "/relative", in + "/absolute", "/"} {
		if list, err := a.List(dir); !errors.Is(err, hostfile.ErrOutside) {
			t.Errorf("list %s: %v, %v", dir, list, err)
		}
	}
	for _, target := range []hostfile.Target{
		{Dir: out, Name: "f"}, {Dir: in + "/relative", Name: "f"}, {Dir: in + "/absolute", Name: "f"},
		{Dir: in, Name: "file"}, {Dir: in + "/absolute/deeper", Name: "f"}, {Dir: in, Name: "absolute"},
	} {
		if err := write(a, target, "x"); err == nil {
			t.Errorf("%s/%s was written", target.Dir, target.Name)
		}
	}
	only(t, out, "secret")
	if got := get(t, out+"/secret"); got != "secret" {
		t.Errorf("%q", got)
	}
	for _, err := range []error{func() error { _, err := new(hostfile.Access).Open(in); return err }(), write(&hostfile.Access{Read: []string{in}}, hostfile.Target{Dir: in, Name: "f"}, "x")} {
		if !errors.Is(err, hostfile.ErrOutside) {
			t.Errorf("nothing is allowed: %v", err)
		}
	}
}

// Links within the folders work, however they are written: people have put them there for that.
func TestLinksWithin(t *testing.T) {
	a, in, out := house(t)
	must(t, os.Mkdir(in+"/dir", 0o755))
	put(t, in+"/dir/f", "text")
	must(t, os.Symlink("dir", in+"/relative"))
	must(t, os.Symlink(in+"/dir", in+"/absolute"))
	must(t, os.Symlink(in+"/dir/f", in+"/file"))
	must(t, os.Symlink(in, out+"/way"))
	for _, path := range []string{"/relative/f", "/absolute/f", "/file"} {
		if text, err := read(a, in+path); text != "text" || err != nil {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
	must(t, write(a, hostfile.Target{Dir: in + "/absolute", Name: "g"}, "new"))
	must(t, write(a, hostfile.Target{Dir: in, Name: "file"}, "changed"))
	if got := get(t, in+"/dir/f"); got != "changed" {
		t.Errorf("behind the link is %q", got)
	}
	if info, err := os.Lstat(in + "/file"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	only(t, in+"/dir", "f", "g")
	behind := &hostfile.Access{Read: []string{out + "/way"}, Write: []string{out + "/way"}}
	for _, path := range []string{"/way/dir/f", "/way/relative/f", "/way/absolute/f", "/way/file"} {
		if text, err := read(behind, out+path); text != "changed" || err != nil {
			t.Errorf("%s, in a folder that is a link: %q, %v", path, text, err)
		}
		must(t, write(behind, hostfile.Target{Dir: out + filepath.Dir(path), Name: filepath.Base(path)}, "changed"))
	}
}

// The policy that confines is not to be written, under no name.
func TestKeep(t *testing.T) {
	a, in, _ := house(t)
	put(t, in+"/policy.conf", "mine")
	must(t, os.Link(in+"/policy.conf", in+"/hard"))
	must(t, os.Symlink("policy.conf", in+"/soft"))
	a.Keep = []string{in + "/policy.conf", in + "/none"}
	for _, name := range []string{"policy.conf", "hard", "soft"} {
		if err := write(a, hostfile.Target{Dir: in, Name: name}, "theirs"); !errors.Is(err, hostfile.ErrOutside) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := get(t, in+"/policy.conf"); got != "mine" {
		t.Errorf("%q", got)
	}
}

func TestRemove(t *testing.T) {
	a, in, out := house(t)
	put(t, in+"/f", "x")
	put(t, in+"/kept", "x")
	a.Keep = []string{in + "/kept"}
	must(t, os.Mkdir(in+"/dir", 0o755))
	must(t, os.Symlink(out+"/secret", in+"/link"))
	for path, want := range map[string]error{
		in + "/f": nil, in + "/link": nil, in + "/kept": hostfile.ErrOutside, in + "/dir": hostfile.ErrNotFile, in + "/none": fs.ErrNotExist,
		out + "/secret": hostfile.ErrOutside, in + "/../out/secret": hostfile.ErrOutside, "f": hostfile.ErrInvalid,
	} {
		if err := a.Remove(path); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", path, err, want)
		}
	}
	only(t, in, "dir", "kept")
	only(t, out, "secret")
}

func TestList(t *testing.T) {
	a, in, out := house(t)
	must(t, os.Mkdir(in+"/dir", 0o755))
	put(t, in+"/f", "12345")
	for link, to := range map[string]string{"to-dir": "dir", "to-file": "f", "broken": "none", "out": out} {
		must(t, os.Symlink(to, in+"/"+link))
	}
	list, err := a.List(in)
	must(t, err)
	var got []string
	for _, e := range list {
		got = append(got, fmt.Sprintf("%s %v %s", e.Name, e.Mode&(fs.ModeDir|fs.ModeSymlink), e.Link))
		if e.Name == "f" && (e.Size != 5 || time.Since(e.ModTime) > time.Hour || e.Mode != 0o640) {
			t.Errorf("%+v", e)
		}
	}
	want := "broken L--------- |dir d--------- |f ---------- |out L--------- |to-dir dL--------- dir|to-file L--------- f"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if list, err := a.List(in + "/dir"); len(list) != 0 || err != nil {
		t.Error(list, err)
	}
	if _, err := a.List(in + "/f"); !errors.Is(err, hostfile.ErrNotFolder) {
		t.Errorf("error %v", err)
	}
	if _, err := a.List(in + "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// Fifty write the same file at once while others read it: a reader has one of the versions, whole.
func TestWholeOrNotAtAll(t *testing.T) {
	a, in, _ := house(t)
	version := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), 100_000) }
	must(t, write(a, hostfile.Target{Dir: in, Name: "f"}, version(0)))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := write(a, hostfile.Target{Dir: in, Name: "f"}, version(i)); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			text, err := read(a, in+"/f")
			if errors.Is(err, hostfile.ErrChanged) {
				return // it was replaced while it was read
			}
			if err != nil || len(text) != 100_000 || strings.Trim(text, text[:1]) != "" {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
	wg.Wait()
	only(t, in, "f")
}

// What a killed agent has left goes with the next upload; what is being written stays.
func TestSweep(t *testing.T) {
	a, in, _ := house(t)
	put(t, in+"/.upload-ABCDEFGHIJKLMNOP.part", "left")
	put(t, in+"/.upload-QRSTUVWXYZ234567.part", "young")
	hour := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(in+"/.upload-ABCDEFGHIJKLMNOP.part", hour, hour))
	first, err := a.Create(hostfile.Target{Dir: in, Name: "f", Size: 1})
	must(t, err)
	entries, err := filepath.Glob(in + "/.upload-*")
	must(t, err)
	for _, e := range entries {
		if !strings.Contains(e, "QRSTUVWXYZ") {
			must(t, os.Chtimes(e, hour, hour))
		}
	}
	must(t, write(a, hostfile.Target{Dir: in, Name: "g"}, "y"))
	if _, err := io.WriteString(first, "x"); err != nil {
		t.Error(err)
	}
	must(t, first.Commit())
	only(t, in, ".upload-QRSTUVWXYZ234567.part", "f", "g")
}

// Paths of a peer are hostile: whatever they are, nothing outside is touched and nothing panics.
func FuzzPaths(f *testing.F) {
	for _, s := range []string{"/", "/..", "/in/../out/secret", "/in/a/b", "\x00", "/in/\xff", "//in//./f"} {
		f.Add(s, "name")
	}
	a, in, out := house(f)
	base := filepath.Dir(in)
	must(f, os.Symlink(out, in+"/link"))
	f.Fuzz(func(t *testing.T, path, name string) {
		for _, p := range []string{path, base + path, in + "/" + path} {
			if text, err := read(a, p); err == nil && text == "secret" {
				t.Errorf("read %q", p)
			}
			_, _ = a.List(p)
			if w, err := a.Create(hostfile.Target{Dir: p, Name: name, Size: 1}); err == nil {
				if real, err := filepath.EvalSymlinks(filepath.Dir(w.Path())); err != nil || !strings.HasPrefix(real+"/", in+"/") {
					t.Errorf("writes to %q: %v", real, err)
				}
				w.Abort()
			}
		}
		if !bytes.Equal([]byte(get(t, out+"/secret")), []byte("secret")) {
			t.Error("the secret was written")
		}
	})
}
