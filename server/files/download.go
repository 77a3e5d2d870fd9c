package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// Download is a file that comes from an agent. It is read to io.EOF, which comes only if all was right, and closed.
type Download struct {
	Size    int64     // of the whole file, in bytes
	ModTime time.Time // zero from an agent of the field

	io.Reader
	close func()
}

// Close ends the transfer.
func (d *Download) Close() { d.close() }

// Download begins to read a file of an agent's host from an offset on, within ctx. It fails with an [*server.AgentError] when the agent
// cannot. The last bytes are given out only if the checksum is right, else Read fails; an offset beyond 0 is not checked for
// agents of ours, who only know the checksum of the whole. The caller closes the download.
func (f *Files) Download(ctx context.Context, agent, path string, offset int64) (*Download, error) {
	_, ours, err := f.expect(ctx, agent)
	if err != nil {
		return nil, err
	}
	leave, err := f.places.enter(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var d *Download
	if ours {
		d, err = f.receive(ctx, agent, path, offset)
	} else {
		d, err = f.collect(ctx, agent, path, offset)
	}
	if err != nil {
		cancel(err)
		leave()
		return nil, err
	}
	inner := d.close
	d.close = func() {
		cancel(context.Canceled)
		inner()
		leave()
	}
	return d, nil
}

// receive has an agent of ours send a file over a connection of its own.
func (f *Files) receive(ctx context.Context, agent, path string, offset int64) (*Download, error) {
	s := &sink{
		ctx: ctx, stopping: f.stopping, token: newToken(), have: offset, skipped: offset > 0,
		bodies: make(chan *body), info: make(chan wire.DownloadInfoPayload, 1), over: make(chan struct{}),
		sum: sha256.New(),
	}
	var task string
	ctx, recorded := server.Late(ctx)
	end, err := f.fleet.Begin(ctx, agent, func(b []byte, id string) ([]byte, error) {
		task = id
		f.sinks.add(task, s)
		return wire.Download.Append(b, task, &wire.DownloadPayload{
			Dir: path, Detail: true, URI: "/api/file/download/" + task, Token: string(s.token), Offset: uint64(offset),
		})
	}, s.take)
	if err != nil {
		f.sinks.remove(task)
		return nil, err
	}
	d := &Download{Reader: s, close: func() {
		end()
		f.sinks.remove(task)
		s.drop()
	}}
	info, err := s.announced()
	if e := recorded(); e != nil { // before anybody learns anything
		err = e
	}
	if err == nil && offset > 0 && offset >= info.size {
		err = errRange
	}
	if err != nil {
		d.close()
		return nil, err
	}
	d.Size = info.size
	if info.ModTime != nil {
		d.ModTime = *info.ModTime
	}
	return d, nil
}

// announcement is what an agent says of a file that it is to send.
type announcement struct {
	wire.DownloadInfoPayload
	size int64
}

// check says why there will be no file.
func check(p wire.DownloadInfoPayload) (announcement, error) {
	switch {
	case !p.OK:
		return announcement{}, &server.AgentError{Text: clip(p.Msg), Why: p.Why}
	case p.Size > 1<<62:
		return announcement{}, badData("a file of %d bytes", p.Size)
	}
	return announcement{p, int64(p.Size)}, nil
}

// checkSum compares what an agent says of a file that it has sent.
func checkSum(p wire.DownloadSumPayload, size int64, got []byte) error {
	if int64(min(p.Size, 1<<62)) != size || got != nil && p.SHA256 != hex.EncodeToString(got) {
		return ErrChecksum
	}
	return nil
}

// replied takes apart what an agent of either kind answers to a download beside the content: an error.
func replied(frame *wire.Frame, want wire.Type) error {
	if frame.Type == wire.DownloadError.Type() {
		p, err := wire.DownloadError.Decode(frame)
		if err != nil {
			return err
		}
		return &server.AgentError{Text: clip(p.Msg), Why: p.Why}
	}
	return server.CheckReply(frame, want)
}
