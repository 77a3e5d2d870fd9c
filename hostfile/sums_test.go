package hostfile_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/hostfile"
)

// The sums of a file that is large, comes in pieces of any size, and begins once more are those of its bytes; and one byte that is
// another one is noticed wherever it is.
func TestSums(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef-"), 200_000)
	for _, wrong := range []int{-1, 0, len(data) / 2, len(data) - 1} {
		for _, target := range []hostfile.Target{{}, {Grows: true}, {Mode: 0o755 | fs.ModeSetuid}} {
			t.Run(fmt.Sprint(wrong, target.Grows, target.Mode), func(t *testing.T) {
				a, in, _ := house(t)
				a.SetID = true
				put(t, in+"/f", "old")
				sent := bytes.Clone(data)
				if wrong >= 0 {
					sent[wrong]++
				}
				err := writeInPieces(a, in, target, sent, data)
				if wrong < 0 {
					if must(t, err); get(t, in+"/f") != string(data) {
						t.Error("it is not what was written")
					}
				} else if !errors.Is(err, hostfile.ErrChecksum) || get(t, in+"/f") != "old" {
					t.Errorf("error %v", err)
				}
				only(t, in, "f")
			})
		}
	}
}

// writeInPieces writes a file that is to be another one, and all of it twice.
func writeInPieces(a *hostfile.Access, dir string, target hostfile.Target, sent, want []byte) error {
	sha, md := sha256.Sum256(want), md5.Sum(want)
	target.Dir, target.Name = dir, "f"
	whole := target
	whole.Grows, whole.Size, whole.SHA256, whole.MD5 = false, int64(len(want)), &sha, &md
	if !target.Grows {
		target = whole
	}
	w, err := a.Create(target)
	if err != nil {
		return err
	}
	defer w.Abort()
	for range 2 {
		if err := w.Reset(); err != nil {
			return err
		}
		for i, left := 1, sent; len(left) > 0; i++ {
			n := min(len(left), 70_001*i)
			if _, err := w.Write(left[:n]); err != nil {
				return err
			}
			left = left[n:]
		}
	}
	if target.Grows {
		if err := w.Settle(whole); err != nil {
			return err
		}
	}
	return w.Commit()
}

// What somebody else makes of the temporary file does not become the file.
func TestSumsOfWhatIsThere(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"cut":     func(file string) error { return os.Truncate(file, 5) },
		"changed": func(file string) error { return os.WriteFile(file, []byte("another one"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			a, in, _ := house(t)
			text := "the content"
			sha := sha256.Sum256([]byte(text))
			w, err := a.Create(hostfile.Target{Dir: in, Name: "f", Size: int64(len(text)), SHA256: &sha})
			must(t, err)
			defer w.Abort()
			_, err = w.Write([]byte(text))
			must(t, err)
			temp, err := filepath.Glob(in + "/.upload-*")
			if must(t, err); len(temp) != 1 {
				t.Fatal(temp)
			}
			must(t, spoil(temp[0]))
			if err := w.Commit(); err == nil {
				t.Error("it was put in place")
			}
			only(t, in)
		})
	}
}
