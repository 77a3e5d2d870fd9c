package libagent

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/md5"
	"errors"
	"hash"
	"io"
	"os"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// logBlock is the size of the blocks in which a log is sent, in bytes, as peers of the field have it.
const logBlock = 32_000

// serveLogs registers what a server asks of every agent: which files its log has, and these files.
func (ag *Agent) serveLogs() {
	Handle(ag, wire.LogList, func(context.Context, wire.Empty) (wire.LogListReply, error) {
		files, err := ag.logFiles()
		r := wire.LogListReply{Files: make([]wire.AgentLog, len(files))}
		for i, f := range files {
			r.Files[i] = wire.AgentLog{Name: f.Name, Size: uint64(f.Size), ModTime: f.ModTime}
		}
		return r, err
	})
	HandleStream(ag, wire.LogDownload, ag.sendLogs)
}

func (ag *Agent) logFiles() ([]logging.File, error) {
	if ag.logs == nil {
		return nil, nil
	}
	return ag.logs.Files()
}

// sendLogs sends files of the log as one zip. Its size and sum come first, so it is made twice: once for them, and once to
// be sent. That costs no disk, which may be full, and no memory. Both times hold the same, unless somebody else cuts an open
// file short, which is an error.
func (ag *Agent) sendLogs(ctx context.Context, t *Task, q wire.LogDownloadPayload) error {
	defer t.Close()
	files, err := ag.openLogs(q.Files)
	defer func() {
		for _, f := range files {
			f.file.Close()
		}
	}()
	if err != nil {
		return Reply(t, wire.LogDownloadInfo, wire.LogDownloadInfoPayload{Msg: err.Error()})
	}
	sum := &sizeAndSum{md5: md5.New()}
	if err := writeZip(ctx, sum, files); err != nil {
		return Reply(t, wire.LogDownloadInfo, wire.LogDownloadInfoPayload{Msg: err.Error()})
	}
	info := wire.LogDownloadInfoPayload{OK: true, Size: sum.size, BlockSize: logBlock, MD5: [md5.Size]byte(sum.md5.Sum(nil))}
	if err := Reply(t, wire.LogDownloadInfo, info); err != nil {
		return err
	}
	blocks := &blockWriter{t: t}
	w := bufio.NewWriterSize(blocks, logBlock)
	if err := writeZip(ctx, w, files); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if blocks.offset != sum.size {
		return errors.New("a log file was cut short while it was sent")
	}
	return nil
}

// openLog is an open file of the log.
type openLog struct {
	name string
	size int64 // bytes that are sent; the file may grow meanwhile
	mod  time.Time
	file *os.File
}

// openLogs opens files of the log. Only names of the log's own files are found, whatever else the request holds.
func (ag *Agent) openLogs(names []string) ([]openLog, error) {
	if len(names) == 0 {
		return nil, errors.New("no files asked for")
	}
	var open []openLog
	seen := make(map[string]bool)
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		if ag.logs == nil {
			return open, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
		}
		f, err := ag.logs.OpenFile(name)
		if err != nil {
			return open, err
		}
		o := openLog{name: name, file: f}
		open = append(open, o)
		info, err := f.Stat()
		if err != nil {
			return open, err
		}
		open[len(open)-1].size, open[len(open)-1].mod = info.Size(), info.ModTime()
	}
	return open, nil
}

// writeZip writes a zip of files, the same every time.
func writeZip(ctx context.Context, w io.Writer, files []openLog) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		e, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: f.mod})
		if err != nil {
			return err
		}
		if _, err := io.Copy(e, &canceled{ctx, io.NewSectionReader(f.file, 0, f.size)}); err != nil {
			return err
		}
	}
	return z.Close()
}

// canceled is a reader that ends with its context.
type canceled struct {
	ctx context.Context
	r   io.Reader
}

func (c *canceled) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}

// sizeAndSum measures what is written to it.
type sizeAndSum struct {
	size uint64
	md5  hash.Hash
}

func (s *sizeAndSum) Write(p []byte) (int, error) {
	s.size += uint64(len(p))
	return s.md5.Write(p)
}

// blockWriter sends what is written to it, at most logBlock at a time, as blocks of the zip.
type blockWriter struct {
	t      *Task
	offset uint64
}

func (w *blockWriter) Write(p []byte) (int, error) {
	n := 0
	for len(p) > 0 {
		b := p[:min(len(p), logBlock)]
		if err := Reply(w.t, wire.LogDownloadData, wire.LogDownloadDataPayload{Offset: w.offset, Data: block.Plain(b)}); err != nil {
			return n, err
		}
		w.offset += uint64(len(b))
		n += len(b)
		p = p[len(b):]
	}
	return n, nil
}
