package smart

import (
	"archive/tar"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/server/files"
)

const (
	// maxEntries is how many entries the tar of a layout may have.
	maxEntries = 10_000

	// maxScript is how large main.yaml may be, in bytes.
	maxScript = 1 << 20
)

// archive is the tar of a layout. Nothing is unpacked: its files are read where they are.
type archive struct {
	files map[string]*member
}

// member is a file in an archive.
type member struct {
	*io.SectionReader
	md5    func() ([md5.Size]byte, error)
	sha256 func() ([sha256.Size]byte, error)
}

var _ files.Content = (*member)(nil)

// Len implements [files.Content].
func (m *member) Len() int64 { return m.Size() }

// MD5 implements [files.Content]. It is made once, however many nodes want it.
func (m *member) MD5() ([md5.Size]byte, error) { return m.md5() }

// SHA256 implements [files.Content].
func (m *member) SHA256() ([sha256.Size]byte, error) { return m.sha256() }

// readArchive lists the files of a tar. Links and all that is no file are left out.
func readArchive(from files.Content) (*archive, error) {
	a := &archive{files: make(map[string]*member)}
	raw := io.NewSectionReader(from, 0, from.Len())
	for t, n := tar.NewReader(raw), 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
		if n >= maxEntries {
			return nil, fmt.Errorf("file: more than %d entries", maxEntries)
		}
		if h.Typeflag != tar.TypeReg || isSparse(h) {
			continue
		}
		at, err := raw.Seek(0, io.SeekCurrent)
		if err != nil || h.Size > from.Len()-at {
			return nil, fmt.Errorf("file: %q does not end within the tar", h.Name)
		}
		a.files[cleanName(h.Name)] = newMember(io.NewSectionReader(from, at, h.Size))
	}
}

// isSparse reports whether a file does not stand in the tar as it is.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// cleanName is the name by which a file of the tar is found, however it is written.
func cleanName(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func newMember(r *io.SectionReader) *member {
	return &member{
		SectionReader: r,
		md5: sync.OnceValues(func() (sum [md5.Size]byte, err error) {
			return sum, sumOf(r, md5.New(), sum[:])
		}),
		sha256: sync.OnceValues(func() (sum [sha256.Size]byte, err error) {
			return sum, sumOf(r, sha256.New(), sum[:])
		}),
	}
}

// sumOf writes the checksum of a file to sum.
func sumOf(r *io.SectionReader, h hash.Hash, sum []byte) error {
	_, err := io.Copy(h, io.NewSectionReader(r, 0, r.Size()))
	copy(sum, h.Sum(nil))
	return err
}

// script returns what the layout does.
func (a *archive) script() (text []byte, name string, err error) {
	for _, name := range []string{"main.yaml", "main.json"} {
		m := a.files[name]
		if m == nil {
			continue
		}
		if m.Size() > maxScript {
			return nil, name, fmt.Errorf("%s: %d bytes are more than %d", name, m.Size(), maxScript)
		}
		text, err := io.ReadAll(io.NewSectionReader(m, 0, m.Size()))
		return text, name, err
	}
	return nil, "", fmt.Errorf("file: neither main.yaml nor main.json is in the tar")
}
