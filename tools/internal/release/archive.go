package release

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// entry is one file of an archive.
type entry struct {
	name string // in the archive, below the program's folder, with slashes
	path string // on this machine
	exec bool
}

// archive is what the two formats have in common.
type archive interface {
	add(name string, size int64, exec bool, from io.Reader) error
	Close() error
}

// pack writes the entries below the folder top into a file: a zip when its name ends so, else a compressed tar. Order, times,
// owners and modes do not depend on the machine.
func pack(file, top string, entries []entry, at time.Time) (err error) {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()

	var a archive
	if strings.HasSuffix(file, ".zip") {
		a = newZip(out, at)
	} else if a, err = newTar(out, at); err != nil {
		return err
	}
	entries = slices.SortedFunc(slices.Values(entries), func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range entries {
		if err := addFile(a, top, e); err != nil {
			return err
		}
	}
	return a.Close()
}

func addFile(a archive, top string, e entry) error {
	in, err := os.Open(e.path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	return a.add(top+"/"+e.name, info.Size(), e.exec, in)
}

func mode(exec bool) os.FileMode {
	if exec {
		return 0o755
	}
	return 0o644
}

type tarArchive struct {
	gz *gzip.Writer
	*tar.Writer
	at time.Time
}

func newTar(out io.Writer, at time.Time) (*tarArchive, error) {
	gz, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	return &tarArchive{gz: gz, Writer: tar.NewWriter(gz), at: at}, nil
}

func (t *tarArchive) add(name string, size int64, exec bool, from io.Reader) error {
	err := t.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: int64(mode(exec)), ModTime: t.at, Format: tar.FormatUSTAR,
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(t.Writer, from)
	return err
}

func (t *tarArchive) Close() error { return errors.Join(t.Writer.Close(), t.gz.Close()) }

type zipArchive struct {
	*zip.Writer
	at time.Time
}

func newZip(out io.Writer, at time.Time) *zipArchive {
	w := zip.NewWriter(out)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	return &zipArchive{Writer: w, at: at}
}

func (z *zipArchive) add(name string, _ int64, exec bool, from io.Reader) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: z.at}
	h.SetMode(mode(exec))
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, from)
	return err
}
