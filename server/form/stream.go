package form

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server/rest"
)

const (
	// blockSize is how many bytes of a stream are taken at a time.
	blockSize = 128 << 10

	// ownBlocks is how many blocks a stream may have in any case, and moreBlocks how many all streams of a store may have beyond that.
	ownBlocks  = small/blockSize + 1
	moreBlocks = 512

	// mostBlocks is how many blocks a stream may have at most, when no other needs them.
	mostBlocks = 128
)

type block [blockSize]byte

// ErrMore means that who reads a stream has had as much as is kept for him: more comes when he has said what he has taken.
var ErrMore = errors.New("what was read has to be taken first")

// errNobody means that nobody takes a stream any more.
var errNobody = errors.New("nobody takes the file any more")

// Stream is a file of a form that goes to somebody while it comes. What has come is in memory until he has said that he has it
// (Took), so the caller's client is read from as fast as he takes it. One goroutine has it come, [Form.Finish]; another one
// reads it.
type Stream struct {
	store    *Store
	from     io.Reader
	patience time.Duration
	sums     []hash.Hash // for who has it come: SHA-256, and MD5 if that is wanted

	mu      sync.Mutex // guards the fields below
	blocks  []*block   // what has come from first on; all but the last are full
	first   int64
	size    int64 // bytes that have come
	more    int   // blocks beyond its own
	waiting bool  // there is no room
	whole   bool  // nothing more comes
	verdict error // once it is settled: io.EOF for a good one
	unread  error // why nobody reads any more
	news    chan struct{}
}

// Stream makes a stream of a file that has begun to come, which cannot be read in any other way then. Its reader may take nothing
// for so long.
func (f *File) Stream(patience time.Duration) *Stream {
	s := &Stream{store: f.store, from: f.from, patience: patience, sums: []hash.Hash{sha256.New()}, news: make(chan struct{})}
	if f.wantMD5 {
		s.sums = append(s.sums, md5.New())
	}
	b := f.store.block()
	s.size = int64(copy(b[:], f.memory[:f.size]))
	s.blocks = append(s.blocks, b)
	s.sum(b[:s.size])
	f.stream = s
	return s
}

// fill takes the rest.
func (s *Stream) fill() error {
	for {
		p, err := s.space()
		if err != nil {
			return err
		}
		n, err := fillPiece(s.from, p)
		if err != nil && err != io.EOF {
			return err
		}
		s.change(func() { s.size += int64(n) })
		s.sum(p[:n]) // while the reader has it already
		if err == io.EOF {
			s.change(func() { s.whole = true })
			return nil
		}
	}
}

// sum sums a piece; MD5 takes so long that SHA-256 is made beside it.
func (s *Stream) sum(p []byte) {
	var aside sync.WaitGroup
	defer aside.Wait()
	for _, h := range s.sums[1:] {
		aside.Go(func() { h.Write(p) })
	}
	s.sums[0].Write(p)
}

// space returns where the next bytes go. It waits for the reader.
func (s *Stream) space() ([]byte, error) {
	t := time.NewTimer(s.patience)
	defer t.Stop()
	for {
		p, news := s.room()
		if p != nil {
			return p, nil
		}
		select {
		case <-news:
			t.Reset(s.patience)
		case <-t.C:
			err := rest.Errorf(http.StatusGatewayTimeout, "the agent has taken nothing of the file for %v", s.patience)
			s.Drop(err)
			return nil, err
		}
	}
}

// room returns where the next bytes go; nil if there is no room before there are news.
func (s *Stream) room() ([]byte, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = false
	end := s.first + int64(len(s.blocks))*blockSize
	switch {
	case s.unread != nil: // it goes nowhere, over what is there
		if len(s.blocks) == 0 {
			s.blocks = append(s.blocks, s.store.block())
		}
		return s.blocks[0][:], nil
	case s.size < end:
	case len(s.blocks) < ownBlocks+s.more:
		s.blocks = append(s.blocks, s.store.block())
	case len(s.blocks) < mostBlocks && s.store.oneMore():
		s.more++
		s.blocks = append(s.blocks, s.store.block())
	default:
		s.waiting = true
		s.tell()
		return nil, s.news
	}
	return s.blocks[len(s.blocks)-1][s.size-(s.first+int64(len(s.blocks)-1)*blockSize):], nil
}

// fillPiece reads until a piece is full, or the end. Parts of a form come in pieces of 4 KiB at most, which are collected.
func fillPiece(from io.Reader, p []byte) (n int, err error) {
	for err == nil && n < len(p) {
		var more int
		more, err = from.Read(p[n:])
		n += more
	}
	return n, err
}

// Next returns what follows an offset, which is good until more is taken or the form is closed. At the end it is io.EOF if the
// file is settled and good, else why it is not; ErrMore if the reader has to take what he has.
func (s *Stream) Next(ctx context.Context, at int64) ([]byte, error) {
	for {
		p, news, err := s.look(at)
		if p != nil || err != nil {
			return p, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (s *Stream) look(at int64) (p []byte, news <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case at < s.first || at > s.size:
		return nil, nil, s.outside(at)
	case s.unread != nil:
		return nil, nil, s.unread
	case s.verdict != nil && s.verdict != io.EOF:
		return nil, nil, s.verdict
	case at < s.size && at-s.first >= mostBlocks/2*blockSize, at == s.size && s.waiting:
		return nil, nil, ErrMore
	case at < s.size:
		i := (at - s.first) / blockSize
		begin := s.first + i*blockSize
		return s.blocks[i][at-begin : min(s.size-begin, blockSize)], nil, nil
	case s.verdict != nil:
		return nil, nil, io.EOF
	}
	return nil, s.news, nil
}

func (s *Stream) outside(at int64) error {
	return fmt.Errorf("what follows %d bytes is not here: it is what follows %d to %d", at, s.first, s.size)
}

// Took says that the reader has everything before an offset for good. Nothing that Next has returned may be in use.
func (s *Stream) Took(at int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at < s.first || at > s.size {
		return s.outside(at)
	}
	n := int((at - s.first) / blockSize)
	s.free(n)
	s.first += int64(n) * blockSize
	s.waiting = false // who waits looks again
	s.tell()
	return nil
}

// free gives back the first blocks. The lock is held.
func (s *Stream) free(n int) {
	for _, b := range s.blocks[:n] {
		s.store.blocks.Put(b)
	}
	s.blocks = append(s.blocks[:0], s.blocks[n:]...)
	less := min(n, s.more)
	s.store.giveMore(less)
	s.more -= less
}

// Settle says that the file is wanted as it has come, or why not. Only the first word counts.
func (s *Stream) Settle(err error) {
	if err == nil {
		err = io.EOF
	}
	s.change(func() {
		if s.verdict == nil {
			s.verdict = err
		}
	})
}

// Drop says that nobody reads any more: what still comes is thrown away.
func (s *Stream) Drop(err error) {
	if err == nil {
		err = errNobody
	}
	s.change(func() {
		if s.unread == nil {
			s.unread = err
		}
	})
}

// change changes what both sides see, and wakes who waits.
func (s *Stream) change(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.tell()
}

// tell wakes who waits. The lock is held.
func (s *Stream) tell() {
	close(s.news)
	s.news = make(chan struct{})
}

// Sums are size and checksums of all that has come; MD5 is nil if it was not wanted when the file began. It is for who has had
// the stream come to its end.
func (s *Stream) Sums() (size int64, sha [sha256.Size]byte, md *[md5.Size]byte) {
	if len(s.sums) > 1 {
		md = (*[md5.Size]byte)(s.sums[1].Sum(nil))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size, [sha256.Size]byte(s.sums[0].Sum(nil)), md
}

// close gives back what nobody reads any more.
func (s *Stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(len(s.blocks))
	s.store.giveMore(s.more)
	s.more = 0
}
