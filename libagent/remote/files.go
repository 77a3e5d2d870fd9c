package remote

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jkstack/jkframe/v2/hostfile"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/policy"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

const (
	// maxTemp is how many bytes the folder for temporary files has at most, and leastTemp how many a file counts for at least.
	maxTemp   = 1 << 30
	leastTemp = 64 << 10
)

// tempAge is when a file in the folder for temporary files has been forgotten: servers let a command run for a week at most, and wait
// for its turn as long.
const tempAge = 15 * 24 * time.Hour

// fieldBlock is how many bytes of a file go into a frame, as agents of the field have it.
const fieldBlock = 32 << 10

// allowed is what of the host's files is reachable now.
func (s *Service) allowed() (*hostfile.Access, *policy.Policy, error) {
	rules := s.rules.Current()
	return s.access(rules), rules, rules.Files()
}

func (s *Service) list(_ context.Context, q wire.LsRequest) (wire.LsReply, error) {
	r := wire.LsReply{Dir: q.Dir, OK: true}
	access, _, err := s.allowed()
	if err == nil {
		var entries []hostfile.Entry
		entries, err = access.List(q.Dir)
		for _, e := range entries {
			r.Files = append(r.Files, wire.FileInfo{
				Name: e.Name, Mode: e.Mode, User: e.User, Group: e.Group, Size: uint64(max(e.Size, 0)), ModTime: e.ModTime,
				IsLink: e.Mode&fs.ModeSymlink != 0, LinkDir: e.Link,
			})
		}
	}
	s.audit.Info("ls", "dir", q.Dir, "entries", len(r.Files), "error", err)
	if err != nil {
		r.OK, r.Msg, r.Why = false, err.Error(), detail(q.Detail, why(err))
	}
	return r, nil
}

// upload writes a file that comes with the request, or is to be fetched.
func (s *Service) upload(ctx context.Context, q wire.UploadRequest) (wire.UploadReply, error) {
	s.audit.Info("upload", "dir", q.Dir, "name", q.Name, "size", q.Size, "mode", q.Mode.String(), "owner", q.OwnUser, "group", q.OwnGroup, "user", q.User, "md5", hex.EncodeToString(q.MD5[:]), "sha256", q.SHA256, "grows", q.Grows)
	path, err := s.write(ctx, &q)
	s.audit.Info("upload done", "path", path, "size", q.Size, "sha256", q.SHA256, "error", err)
	switch {
	case err != nil:
		return wire.UploadReply{Dir: path, Msg: err.Error(), Why: detail(q.Detail, why(err))}, nil
	case q.Grows:
		return wire.UploadReply{Dir: path, OK: true, Size: q.Size, SHA256: q.SHA256}, nil
	}
	return wire.UploadReply{Dir: path, OK: true}, nil
}

// write writes a file. Of one that grows, what was ordered in the end is in q afterwards.
func (s *Service) write(ctx context.Context, q *wire.UploadRequest) (path string, err error) {
	path = filepath.Join(q.Dir, q.Name)
	access, rules, err := s.allowed()
	if err != nil {
		return path, err
	}
	t, err := target(q)
	if err != nil {
		return path, err
	}
	if q.Dir == wire.TempDir {
		access, t.Dir, t.Room = s.writable(rules), s.temp, s.roomInTemp // of which others take some meanwhile
		if err := s.roomInTemp(t.Size); err != nil {
			return path, err
		}
	}
	var first *asked
	if q.Grows {
		first = s.askAhead(ctx, q)
		defer first.drop()
	}
	w, err := access.Create(t)
	if err != nil {
		return path, err
	}
	defer w.Abort()
	switch {
	case q.Grows:
		err = s.follow(ctx, w, q, first)
	case q.URI != "":
		err = s.fetch(ctx, w, q, t.Size)
	default:
		err = inline(w, q.Data)
	}
	if err == nil {
		err = w.Commit()
	}
	return w.Path(), err
}

// roomInTemp says whether the folder for temporary files takes so many bytes more: on a host whose policy lets a server write
// nowhere, it is no way to fill the disk. What nobody has run nor will run, since the server was lost meanwhile, goes.
func (s *Service) roomInTemp(size int64) error {
	entries, err := os.ReadDir(s.temp)
	if err != nil {
		return err
	}
	var used int64
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil: // it has gone
		case time.Since(info.ModTime()) > tempAge && os.Remove(filepath.Join(s.temp, e.Name())) == nil:
		default:
			used += max(info.Size(), leastTemp)
		}
	}
	if size > maxTemp-used {
		return fmt.Errorf("%w: %d bytes, %d of %d are there in the folder for temporary files", hostfile.ErrTooLarge, size, used, int64(maxTemp))
	}
	return nil
}

// target is the file that is asked for. Its content is held against the strongest sum that there is. The user with whose rights it
// is to be written is its owner, if nobody else is named.
func target(q *wire.UploadRequest) (t hostfile.Target, err error) {
	t = hostfile.Target{Dir: q.Dir, Name: q.Name, Mode: q.Mode, Owner: q.OwnUser, Group: q.OwnGroup}
	if t.Owner == "" {
		t.Owner = q.User
	}
	if q.Size > 1<<62 {
		return t, fmt.Errorf("%w: %d bytes", hostfile.ErrTooLarge, q.Size)
	}
	t.Size = int64(q.Size)
	switch {
	case q.SHA256 != "":
		b, err := hex.DecodeString(q.SHA256)
		if err != nil || len(b) != sha256.Size {
			return t, fmt.Errorf("%w: sha256 %q is none", hostfile.ErrChecksum, q.SHA256)
		}
		t.SHA256 = (*[sha256.Size]byte)(b)
		if q.Grows && q.MD5Check { // at its end: nobody else has compared it
			t.MD5 = &q.MD5
		}
	case q.Grows:
		t.Grows, t.Size = true, 0
	case q.MD5 != [md5.Size]byte{} || q.MD5Check:
		t.MD5 = &q.MD5
	}
	return t, nil
}

// inline writes what is in the request itself.
func inline(w io.Writer, b wire.Block) error {
	if b == "" { // of an empty file
		return nil
	}
	data, err := block.Decode(b, wire.MaxInline)
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

// download reads a file and sends it: to a server of ours beside the connection, else in frames.
func (s *Service) download(ctx context.Context, t *libagent.Task, q wire.DownloadPayload) error {
	defer t.Close()
	log := s.audit.With("task", t.ID())
	log.Info("download", "path", q.Dir)
	access, _, err := s.allowed()
	var r *hostfile.Reader
	if err == nil {
		r, err = access.Open(q.Dir)
	}
	if err == nil {
		defer r.Close()
		if err = s.announce(t, r, &q); err == nil {
			if q.URI != "" {
				err = s.push(ctx, t, r, &q)
			} else {
				err = frames(t, r)
			}
			log.Info("download done", "size", r.Size(), "error", err)
			if err != nil {
				return libagent.Reply(t, wire.DownloadError, wire.DownloadErrorPayload{Msg: err.Error(), Why: detail(q.Detail, why(err))})
			}
			return nil
		}
	}
	log.Warn("download refused", "error", err.Error(), "why", why(err))
	return libagent.Reply(t, wire.DownloadInfo, wire.DownloadInfoPayload{Dir: q.Dir, Msg: err.Error(), Why: detail(q.Detail, why(err))})
}

// announce says what is to come. Servers of the field want the sum first, for which the file is read once more.
func (s *Service) announce(t *libagent.Task, r *hostfile.Reader, q *wire.DownloadPayload) error {
	info := wire.DownloadInfoPayload{Dir: q.Dir, OK: true, Size: uint64(r.Size())}
	if q.URI != "" {
		if q.Offset > info.Size {
			return fmt.Errorf("%w: it has %d bytes, and %d were there already", hostfile.ErrChanged, info.Size, q.Offset)
		}
		modified := r.ModTime()
		info.ModTime = &modified
	} else {
		sum := md5.New()
		if _, err := io.Copy(sum, r); err != nil {
			return err
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		info.MD5, info.BlockSize = [md5.Size]byte(sum.Sum(nil)), fieldBlock
	}
	return libagent.Reply(t, wire.DownloadInfo, info)
}

// frames sends a file block by block.
func frames(t *libagent.Task, r *hostfile.Reader) error {
	buf := make([]byte, fieldBlock)
	for offset := uint64(0); ; {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			if err := libagent.Reply(t, wire.DownloadData, wire.DownloadDataPayload{Offset: offset, Data: block.Encode(buf[:n])}); err != nil {
				return err
			}
		}
		offset += uint64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
