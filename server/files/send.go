package files

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/rest"
)

const (
	// pieceSize is how much is read and written at a time, in bytes.
	pieceSize = 256 << 10

	// clientTime is how long a client may take nothing of a download.
	clientTime = 5 * time.Minute
)

// Serve answers a request with a file of an agent's host, within the request's context. A client may ask for the rest of a file
// (Range: bytes=n-) whose beginning it has. An error is for the caller to answer: nothing has been written then.
func (f *Files) Serve(w http.ResponseWriter, r *http.Request, agent, file string) error {
	offset := rangeStart(r)
	d, err := f.Download(r.Context(), agent, file, offset)
	switch {
	case errors.Is(err, errRange):
		return rest.Errorf(http.StatusRequestedRangeNotSatisfiable, "range: the file is not that long")
	case err != nil:
		return err
	}
	if offset > 0 && !unchanged(r, d.ModTime) {
		d.Close()
		offset = 0
		if d, err = f.Download(r.Context(), agent, file, 0); err != nil {
			return err
		}
	}
	defer d.Close()
	a, b := f.pieces.Get().(*piece), f.pieces.Get().(*piece)
	defer func() { f.pieces.Put(a); f.pieces.Put(b) }()
	p := &pieces{from: d, a: a[:], b: b[:]}
	if err := p.fill(); err != nil { // a small file is checked before anything is said
		return err
	}
	headers(w, d, file, offset, p.next)
	if offset > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	if err := p.copyTo(w); err != nil {
		panic(http.ErrAbortHandler) // the client must not take it for the whole file
	}
	return nil
}

// headers says what comes.
func headers(w http.ResponseWriter, d *Download, file string, offset int64, beginning []byte) {
	h := w.Header()
	h.Set("Content-Type", http.DetectContentType(beginning))
	h.Set("X-Content-Type-Options", "nosniff") // the bytes are the agent's
	h.Set("Cache-Control", "no-store")
	name := path.Base(strings.ReplaceAll(file, `\`, "/"))
	if text := mime.FormatMediaType("attachment", map[string]string{"filename": name}); text != "" {
		h.Set("Content-Disposition", text)
	}
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Length", strconv.FormatInt(d.Size-offset, 10))
	if !d.ModTime.IsZero() {
		h.Set("Last-Modified", d.ModTime.UTC().Format(http.TimeFormat))
	}
	if offset > 0 {
		h.Set("Content-Range", "bytes "+strconv.FormatInt(offset, 10)+"-"+strconv.FormatInt(d.Size-1, 10)+"/"+strconv.FormatInt(d.Size, 10))
	}
}

// rangeStart returns where a client wants a file to begin. Any other range than bytes=n- is left aside, which is allowed.
func rangeStart(r *http.Request) int64 {
	text, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes=")
	text, open := strings.CutSuffix(text, "-")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || !open || err != nil || n < 0 {
		return 0
	}
	return n
}

// unchanged reports whether a file is still the one whose beginning the client has, as far as it wants to know (If-Range).
func unchanged(r *http.Request, mod time.Time) bool {
	cond := r.Header.Get("If-Range")
	if cond == "" {
		return true
	}
	t, err := http.ParseTime(cond)
	return err == nil && !mod.IsZero() && mod.Truncate(time.Second).Equal(t)
}

type piece [pieceSize]byte

// pieces copies a file and is always one piece behind, so that the last one is given out only when all has been checked.
type pieces struct {
	from io.Reader
	next []byte // has been read and not been written
	a, b []byte
	end  bool // next is the last
}

// fill reads the next piece.
func (p *pieces) fill() error {
	p.a, p.b = p.b, p.a
	n, err := io.ReadFull(p.from, p.a)
	p.next = p.a[:n]
	if err == io.EOF || err == io.ErrUnexpectedEOF && n < len(p.a) {
		p.end = true
		return p.sure()
	}
	return err
}

// sure reports why the end is none: ReadFull says the same of an end in the middle of a piece and of a reader that fails so.
func (p *pieces) sure() error {
	var one [1]byte
	if n, err := p.from.Read(one[:]); n > 0 || err != io.EOF {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (p *pieces) copyTo(w http.ResponseWriter) error {
	rc := http.NewResponseController(w)
	for {
		now := p.next
		if p.end {
			return write(w, rc, now)
		}
		if err := p.fill(); err != nil {
			return err
		}
		if err := write(w, rc, now); err != nil {
			return err
		}
	}
}

func write(w io.Writer, rc *http.ResponseController, b []byte) error {
	_ = rc.SetWriteDeadline(time.Now().Add(clientTime)) // where it cannot be moved, it holds
	_, err := w.Write(b)
	return err
}
