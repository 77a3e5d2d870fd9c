package files

import (
	"context"
	"encoding/hex"
	"io"
	"io/fs"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// Content is what an upload writes.
type Content interface {
	io.ReaderAt
	Len() int64 // bytes
	MD5() ([16]byte, error)
	SHA256() ([32]byte, error)
}

// Upload is a file to write on an agent's host.
type Upload struct {
	Dir, Name         string // Dir may be [wire.TempDir]
	Auth, User, Pass  string // "", sudo or su, and who; see [server.ErrPlaintext]
	Mode              fs.FileMode
	OwnUser, OwnGroup string // "" for those of the agent
	Content           Content
}

// Upload writes a file on an agent's host, and returns its path there. It fails with an [*server.AgentError] when the agent cannot.
func (f *Files) Upload(ctx context.Context, agent string, u Upload) (path string, err error) {
	return f.upload(ctx, agent, u, nil)
}

// upload is Upload. A content that grows is given apart: then the agent must be one of ours.
func (f *Files) upload(ctx context.Context, agent string, u Upload, growing *growing) (path string, err error) {
	a, ours, err := f.expect(ctx, agent)
	if err != nil {
		return "", err
	}
	if u.Pass != "" && !a.Secure {
		return "", server.ErrPlaintext
	}
	leave, err := f.places.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	var q wire.UploadRequest
	if growing != nil {
		q = u.order()
		q.Detail, q.Grows = true, true
	} else if q, err = u.request(ours); err != nil {
		return "", err
	}
	var r wire.UploadReply
	take := func(frame *wire.Frame) (last bool, err error) {
		if err := server.CheckReply(frame, wire.Upload.Reply.Type()); err != nil {
			return true, err
		}
		r, err = wire.Upload.Reply.Decode(frame)
		return true, err
	}
	if growing == nil && u.Content.Len() <= inline(ours) {
		err = f.fleet.Call(ctx, agent, func(b []byte, task string) ([]byte, error) {
			return wire.Upload.Request.Append(b, task, &q)
		}, take)
	} else {
		err = f.offer(ctx, agent, &q, &offer{content: u.Content, growing: growing, token: newToken()}, ours, take)
	}
	if err == nil && !r.OK {
		err = &server.AgentError{Text: clip(r.Msg), Why: r.Why}
	}
	if err == nil && growing != nil {
		err = wrote(r, growing)
	}
	return r.Dir, err
}

// wrote compares what an agent says of a file that has grown. One that says so before the end has come has not seen it.
func wrote(r wire.UploadReply, g *growing) error {
	if q := g.order(); q == nil || r.Size != q.Size || r.SHA256 != q.SHA256 {
		return ErrChecksum
	}
	return nil
}

// inline is the size up to which a file is sent in the message, in bytes. Fetching it costs a request; being in a message costs
// much more for each byte.
func inline(ours bool) int64 {
	if ours {
		return 32 << 10
	}
	return wire.MaxInline
}

// order is what the agent is asked, without the content.
func (u *Upload) order() wire.UploadRequest {
	return wire.UploadRequest{
		Dir: u.Dir, Name: u.Name, Auth: u.Auth, User: u.User, Pass: u.Pass, Mode: u.Mode, OwnUser: u.OwnUser, OwnGroup: u.OwnGroup,
	}
}

// request is what the agent is asked.
func (u *Upload) request(ours bool) (q wire.UploadRequest, err error) {
	size := u.Content.Len()
	q = u.order()
	q.Size = uint64(size)
	if ours {
		sum, err := u.Content.SHA256()
		if err != nil {
			return q, err
		}
		q.Detail, q.SHA256 = true, hex.EncodeToString(sum[:])
	}
	if !ours || size <= inline(ours) { // for a large file it would take longer than all the rest
		if q.MD5, err = u.Content.MD5(); err != nil {
			return q, err
		}
	}
	if size > 0 && size <= inline(ours) {
		data := make([]byte, size)
		if _, err := u.Content.ReadAt(data, 0); err != nil && err != io.EOF {
			return q, err
		}
		q.Data = block.Encode(data)
	}
	return q, nil
}
