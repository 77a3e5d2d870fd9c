package form_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// counted counts what is read of it.
type counted struct {
	io.Reader
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// begin begins a form of n bytes, whose file is a stream then.
func begin(t testing.TB, s *form.Store, n int, patience time.Duration, fields ...string) (f *form.Form, stream *form.Stream, came *counted) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range fields {
		if err := w.WriteField(name, "x"); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "f")
	if err == nil {
		_, err = part.Write(bytes.Repeat([]byte("0123456789abcde\n"), n/16+1)[:n])
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	came = &counted{Reader: &b}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", came)
	r.Header.Set("Content-Type", w.FormDataContentType())
	if f, err = form.Begin(httptest.NewRecorder(), r, s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if !f.File.Grows() {
		t.Fatal("it is there as a whole")
	}
	return f, f.File.Stream(patience), came
}

// take reads a stream, and takes what it has when that is wanted.
func take(t testing.TB, s *form.Stream) (got []byte, took int, err error) {
	for {
		p, err := s.Next(t.Context(), int64(len(got)))
		switch {
		case err == nil:
			got = append(got, p...)
		case errors.Is(err, form.ErrMore):
			took++
			if err := s.Took(int64(len(got))); err != nil {
				return got, took, err
			}
		case err == io.EOF:
			return got, took, nil
		default:
			return got, took, err
		}
	}
}

// A stream of any size comes as it was sent, with its sums, and what its reader has not taken can be read again.
func TestStream(t *testing.T) {
	s := store(t, 1) // the disk is not needed
	for _, n := range []int{40_000, 128 << 10, 1 << 20, 3<<20 + 5, 40 << 20} {
		want := bytes.Repeat([]byte("0123456789abcde\n"), n/16+1)[:n]
		f, stream, _ := begin(t, s, n, time.Minute, "md5")
		if p, err := stream.Next(t.Context(), 0); err != nil || !bytes.HasPrefix(want, p) {
			t.Errorf("%d bytes: the beginning: %d, %v", n, len(p), err)
		}
		ended := make(chan error)
		go func() {
			err := f.Finish()
			stream.Settle(err)
			ended <- err
		}()
		got, took, err := take(t, stream)
		if err != nil || !bytes.Equal(got, want) || (took > 0) != (n > 16<<20) {
			t.Errorf("%d bytes: %d, taken %d times, %v", n, len(got), took, err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if size, sha, sum := stream.Sums(); size != int64(n) || sha != sha256.Sum256(want) || sum == nil || *sum != md5.Sum(want) {
			t.Errorf("%d bytes: sums of %d", n, size)
		}
		if n > 16<<20 {
			if _, err := stream.Next(t.Context(), 0); err == nil {
				t.Error("what was taken is there")
			}
		}
		if err := stream.Took(int64(n) + 1); err == nil {
			t.Error("more was taken than has come")
		}
		f.Close()
	}
}

// A reader that takes nothing has its own client wait, and only that, in so much memory; and not for ever.
func TestStreamWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store(t, 1)
		const n, hogs = 20 << 20, 8
		var all int64
		ended := make(chan error, hogs)
		var streams []*counted
		for range hogs {
			f, _, came := begin(t, s, n, time.Minute)
			streams = append(streams, came)
			go func() { ended <- f.Finish() }()
		}
		synctest.Wait()
		for _, came := range streams {
			all += came.n.Load()
		}
		if all < 64<<20 || all > 64<<20+hogs*(2<<20) {
			t.Errorf("%d bytes have come, which nobody takes", all)
		}
		f, stream, _ := begin(t, s, n, time.Minute)
		go func() { stream.Settle(f.Finish()) }()
		if got, _, err := take(t, stream); err != nil || len(got) != n {
			t.Errorf("beside them: %d bytes, %v", len(got), err)
		}
		before := time.Now()
		for range hogs {
			if e := (*rest.Error)(nil); !errors.As(<-ended, &e) || e.Code != http.StatusGatewayTimeout {
				t.Errorf("%v", e)
			}
		}
		if d := time.Since(before); d != time.Minute {
			t.Errorf("after %v", d)
		}
	})
}

// What nobody reads any more is read to its end all the same, so that the client has its answer.
func TestStreamDropped(t *testing.T) {
	f, stream, came := begin(t, store(t, 1), 30<<20, time.Minute)
	why := errors.New("refused")
	stream.Drop(why)
	if err := f.Finish(); err != nil || came.n.Load() < 30<<20 {
		t.Errorf("%d bytes, %v", came.n.Load(), err)
	}
	if _, err := stream.Next(t.Context(), 0); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	f, stream, _ = begin(t, store(t, 1), 1<<20, time.Minute)
	stream.Settle(why)
	if _, err := stream.Next(t.Context(), 0); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, stream, _ = begin(t, store(t, 1), 1<<20, time.Minute)
	if _, err := stream.Next(ctx, 32<<10+1); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	f.Close()
}
