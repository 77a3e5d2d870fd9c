package remote

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/hostfile"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

const (
	// attempts is how often in a row a transfer is begun again without having got any further.
	attempts = 5

	// pause is the time between two attempts.
	pause = time.Second
)

// errGone means that the server does not want the transfer any more.
var errGone = errors.New("the server does not take part any more")

// again tries a transfer until it is done, fails for good, or does not get further.
func again(ctx context.Context, offset func() int64, try func() (done bool, err error)) error {
	for left := attempts; ; {
		before := offset()
		done, err := try()
		if done || ctx.Err() != nil {
			return err
		}
		if left--; offset() > before {
			left = attempts
		}
		if left == 0 {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// fetch gets the content of an upload; after a loss of the connection, from where it was.
func (s *Service) fetch(ctx context.Context, w *hostfile.Writer, q *wire.UploadRequest, size int64) error {
	return again(ctx, w.Offset, func() (bool, error) {
		req, err := s.ag.Request(ctx, http.MethodGet, q.URI, nil)
		if err != nil {
			return !errors.Is(err, libagent.ErrNotConnected), err
		}
		req.Header.Set("X-Token", q.Token)
		if w.Offset() > 0 {
			req.Header.Set("Range", fmt.Sprintf("bytes=%d-", w.Offset()))
		}
		res, err := s.ag.Do(req)
		if err != nil {
			return false, err
		}
		defer res.Body.Close()
		switch part := fmt.Sprintf("bytes %d-", w.Offset()); {
		case res.StatusCode == http.StatusOK && w.Offset() > 0:
			err = w.Reset() // it sends all of it again
		case res.StatusCode == http.StatusPartialContent && strings.HasPrefix(res.Header.Get("Content-Range"), part), res.StatusCode == http.StatusOK:
		default:
			return res.StatusCode < http.StatusInternalServerError, fmt.Errorf("fetch %q: the server answers %s", q.URI, res.Status)
		}
		if err != nil {
			return true, err
		}
		buf := s.buffers.Get().(*buffer)
		defer s.buffers.Put(buf)
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, &source{r: res.Body}, buf[:])
		var lost *lostError
		if errors.As(err, &lost) || err == nil && w.Offset() < size && n > 0 {
			return false, fmt.Errorf("fetch %q: %d of %d bytes came: %w", q.URI, w.Offset(), size, err)
		}
		return true, err
	})
}

// buffer is what pieces of files are read into.
type buffer [256 << 10]byte

// asked is the first request for an upload that grows. Its answer comes while the file is made ready.
type asked struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed once the fields below are set
	res    *http.Response
	done   bool
	err    error
}

func (s *Service) askAhead(ctx context.Context, q *wire.UploadRequest) *asked {
	ctx, cancel := context.WithCancel(ctx)
	a := &asked{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(a.ended)
		a.res, a.done, a.err = s.ask(ctx, q, 0) //nolint:bodyclose // who takes it does
	}()
	return a
}

// take waits for the answer, whose body the caller closes.
func (a *asked) take() (*http.Response, bool, error) {
	<-a.ended
	res := a.res
	a.res = nil
	return res, a.done, a.err
}

// drop ends the request, and what is read of its answer.
func (a *asked) drop() {
	a.cancel()
	if res, _, _ := a.take(); res != nil {
		res.Body.Close()
	}
}

// ask asks for what follows an offset of an upload that grows. Done means that there is no use in asking again.
func (s *Service) ask(ctx context.Context, q *wire.UploadRequest, at int64) (res *http.Response, done bool, err error) {
	req, err := s.ag.Request(ctx, http.MethodGet, q.URI, nil)
	if err != nil {
		return nil, !errors.Is(err, libagent.ErrNotConnected), err
	}
	req.Header.Set("X-Token", q.Token)
	req.Header.Set("Upload-Offset", strconv.FormatInt(at, 10))
	res, err = s.ag.Do(req)
	return res, false, err
}

// follow gets the content of an upload that grows, in as many answers as the server makes of it, of which one was asked for; after
// a loss of the connection, from where it was. What was ordered in the end is in q afterwards.
func (s *Service) follow(ctx context.Context, w *hostfile.Writer, q *wire.UploadRequest, first *asked) error {
	buf := s.buffers.Get().(*buffer)
	defer s.buffers.Put(buf)
	ask := first.take
	for {
		var end wire.UploadEnd
		at := w.Offset()
		err := again(ctx, w.Offset, func() (done bool, err error) {
			res, done, err := ask()
			ask = func() (*http.Response, bool, error) { return s.ask(ctx, q, w.Offset()) }
			if err == nil {
				end, done, err = part(w, q, res, buf[:])
			}
			return done, err
		})
		switch {
		case err != nil:
			return err
		case end.More && w.Offset() > at:
		case end.Order == nil:
			return errGone
		default:
			return settle(w, q, end.Order)
		}
	}
}

// part writes an answer: what follows of an upload that grows, until the server wants to know whether it is written.
func part(w *hostfile.Writer, q *wire.UploadRequest, res *http.Response, buf []byte) (end wire.UploadEnd, done bool, err error) {
	defer res.Body.Close()
	if done, err := answered(res); err != nil {
		return end, done, err
	}
	at := strconv.FormatInt(w.Offset(), 10)
	if got := res.Header.Get("Upload-Offset"); got != at {
		return end, true, fmt.Errorf("fetch %q: asked for what follows %s bytes, got what follows %.20q", q.URI, at, got)
	}
	end, err = pieces(w, &source{r: res.Body}, buf)
	var lost *lostError
	if errors.As(err, &lost) {
		return end, false, fmt.Errorf("fetch %q: %d bytes came: %w", q.URI, w.Offset(), err)
	}
	return end, true, err
}

// maxEnd is how long the end of an answer may be, in bytes.
const maxEnd = 64 << 10

// pieces copies the pieces of an answer and returns its end. An error of r is a [lostError].
func pieces(w io.Writer, r io.Reader, buf []byte) (end wire.UploadEnd, err error) {
	for {
		if err := readFull(r, buf[:4]); err != nil {
			return end, err
		}
		left := int64(binary.BigEndian.Uint32(buf))
		if left == 0 {
			break
		}
		if left > wire.MaxPiece {
			return end, fmt.Errorf("a piece of %d bytes", left)
		}
		for left > 0 {
			p := buf[:min(left, int64(len(buf)))]
			if err := readFull(r, p); err != nil {
				return end, err
			}
			if _, err := w.Write(p); err != nil {
				return end, err
			}
			left -= int64(len(p))
		}
	}
	text, err := io.ReadAll(io.LimitReader(r, maxEnd))
	if err != nil {
		return end, err
	}
	if err := json.Unmarshal(text, &end); err != nil {
		return end, &lostError{fmt.Errorf("the end cannot be read: %w", err)}
	}
	return end, nil
}

// readFull fills p. An end before that is a loss.
func readFull(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return &lostError{io.ErrUnexpectedEOF}
	}
	return err
}

// settle says of a file that grew what was ordered in the end. What is not of the file stays as it was.
func settle(w *hostfile.Writer, q, order *wire.UploadRequest) error {
	q.Size, q.SHA256, q.MD5, q.MD5Check = order.Size, order.SHA256, order.MD5, order.MD5Check
	q.Mode, q.OwnUser, q.OwnGroup, q.User = order.Mode, order.OwnUser, order.OwnGroup, order.User
	t, err := target(q)
	if err == nil && t.SHA256 == nil {
		err = fmt.Errorf("%w: it has none", hostfile.ErrChecksum)
	}
	if err != nil {
		return err
	}
	return w.Settle(t)
}

// source tells errors of the network from those of the disk.
type source struct{ r io.Reader }

// lostError is one of the network.
type lostError struct{ error }

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &lostError{err}
	}
	return n, err
}

// push sends a file to where the server wants it; after a loss of the connection, from where the server is.
func (s *Service) push(ctx context.Context, t *libagent.Task, r *hostfile.Reader, q *wire.DownloadPayload) error {
	from := &summed{r: r, sum: sha256.New()}
	at := int64(q.Offset)
	first := true
	err := again(ctx, func() int64 { return at }, func() (bool, error) {
		if !first {
			have, done, err := s.had(ctx, q)
			if err != nil {
				return done, err
			}
			at = have
		}
		first = false
		if err := from.seek(at); err != nil {
			return true, err
		}
		return s.patch(ctx, from, at, q)
	})
	if err != nil {
		return err
	}
	if err := from.seek(r.Size()); err != nil { // what the server had already is in the sum as well
		return err
	}
	return libagent.Reply(t, wire.DownloadSum, wire.DownloadSumPayload{Size: uint64(r.Size()), SHA256: hex.EncodeToString(from.sum.Sum(nil))})
}

// patch sends what there is from an offset on.
func (s *Service) patch(ctx context.Context, from *summed, at int64, q *wire.DownloadPayload) (done bool, err error) {
	req, err := s.ag.Request(ctx, http.MethodPatch, q.URI, io.NopCloser(from))
	if err != nil {
		return !errors.Is(err, libagent.ErrNotConnected), err
	}
	req.ContentLength = from.r.Size() - at
	if req.ContentLength == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("X-Token", q.Token)
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", strconv.FormatInt(at, 10))
	res, err := s.ag.Do(req)
	if from.err != nil {
		return true, from.err // of the file
	}
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	return answered(res)
}

// had asks the server what it has.
func (s *Service) had(ctx context.Context, q *wire.DownloadPayload) (offset int64, done bool, err error) {
	req, err := s.ag.Request(ctx, http.MethodHead, q.URI, nil)
	if err != nil {
		return 0, !errors.Is(err, libagent.ErrNotConnected), err
	}
	req.Header.Set("X-Token", q.Token)
	res, err := s.ag.Do(req)
	if err != nil {
		return 0, false, err
	}
	defer res.Body.Close()
	if done, err := answered(res); err != nil {
		return 0, done, err
	}
	offset, err = strconv.ParseInt(res.Header.Get("Upload-Offset"), 10, 64)
	return offset, err != nil, err
}

// answered says what an answer means: whether there is any use in asking again.
func answered(res *http.Response) (done bool, err error) {
	switch {
	case res.StatusCode/100 == 2:
		return true, nil
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone, res.StatusCode == http.StatusForbidden:
		return true, fmt.Errorf("%w: %s", errGone, res.Status)
	}
	return res.StatusCode < 500 && res.StatusCode != http.StatusConflict, fmt.Errorf("the server answers %s", res.Status)
}

// summed reads a file, from different places if need be, and sums every byte once.
type summed struct {
	r   *hostfile.Reader
	sum hash.Hash
	at  int64 // where the next byte is read
	had int64 // bytes that are in sum
	err error // of the file
}

// seek goes to a place; what is before it and not in the sum yet is read for that.
func (s *summed) seek(to int64) error {
	if to > s.had {
		if _, err := s.r.Seek(s.had, io.SeekStart); err != nil {
			return err
		}
		s.at = s.had
		if _, err := io.CopyN(io.Discard, s, to-s.had); err != nil {
			return err
		}
	}
	_, err := s.r.Seek(to, io.SeekStart)
	s.at = to
	return err
}

func (s *summed) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if fresh := s.at + int64(n) - s.had; fresh > 0 {
		_, _ = s.sum.Write(b[int64(n)-fresh : n]) // never fails
		s.had += fresh
	}
	s.at += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
