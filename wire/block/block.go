package block

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/klauspost/compress/zstd"
)

// The markers of a block.
const (
	plain    = "$0$"
	gzipped  = "$1$"
	zstdized = "$2$"
)

// ErrTooBig means that a block holds more bytes than the caller allows.
var ErrTooBig = errors.New("block too big")

// Encode makes a block of data: text is compressed with zstd, everything else stays as it is.
func Encode(data []byte) wire.Block {
	if !strings.HasPrefix(http.DetectContentType(data), "text/plain") {
		return Plain(data)
	}
	e := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(e)
	return wire.Block(zstdized + base64.StdEncoding.EncodeToString(e.EncodeAll(data, nil)))
}

// Plain makes a block of data as it is: for what is compressed already.
func Plain(data []byte) wire.Block {
	b := make([]byte, len(plain)+base64.StdEncoding.EncodedLen(len(data)))
	copy(b, plain)
	base64.StdEncoding.Encode(b[len(plain):], data)
	return wire.Block(b)
}

// Decode returns the bytes of a block, of which there may be limit at most. The peer decides what is in a block: it takes
// no more memory than about limit and the block itself.
func Decode(b wire.Block, limit int) ([]byte, error) {
	limit = min(limit, math.MaxInt-2) // which leaves room to look a little beyond it
	if len(b) < len(plain) {
		return nil, fmt.Errorf("block of %d bytes has no marker", len(b))
	}
	marker, text := string(b[:len(plain)]), string(b[len(plain):])
	switch marker {
	case plain, gzipped, zstdized:
	default:
		return nil, fmt.Errorf("block begins with %q: want %s, %s or %s", marker, plain, gzipped, zstdized)
	}
	if marker == plain && base64.StdEncoding.DecodedLen(len(text)) > limit+2 {
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooBig, limit)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("block: %w", err)
	}
	switch marker {
	case gzipped:
		data, err = gunzip(data, limit)
	case zstdized:
		data, err = unzstd(data, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", marker, err)
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooBig, limit)
	}
	return data, nil
}

func gunzip(data []byte, limit int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return readAll(r, limit)
}

func unzstd(data []byte, limit int) ([]byte, error) {
	d := decoders.Get().(*zstd.Decoder)
	defer decoders.Put(d)
	if err := d.Reset(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	return readAll(d, limit)
}

// readAll reads to the end, or one byte beyond the limit.
func readAll(r io.Reader, limit int) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, int64(limit)+1))
}

// maxWindow bounds what a peer can make a decoder remember, in bytes: peers compress blocks of some 32 KiB, and an
// upload of up to a mebibyte as one.
const maxWindow = 8 << 20

// Coders take long to make and may be used again.
var (
	encoders = sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options above are wrong: found by the first test
		}
		return e
	}}
	decoders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic(err)
		}
		return d
	}}
)
