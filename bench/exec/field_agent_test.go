package exec_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// fieldAgent moves files as agents of the field do: one request after the other, with the MD5 of a file before its blocks.
type fieldAgent struct {
	server string
	conn   *conn.Conn
	client http.Client
}

// startFieldAgent has an agent with the id a connect, and serve until the benchmark ends.
func startFieldAgent(b *testing.B, server string) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a := &fieldAgent{server: server, client: http.Client{Transport: new(http.Transport)}}
	var err error
	for ; ; time.Sleep(50 * time.Millisecond) { // the server is starting
		if a.conn, err = (conn.Dialer{Options: field}).Dial(ctx, "ws://"+server+"/ws/agent"); err == nil {
			break
		}
	}
	var running sync.WaitGroup
	running.Go(func() {
		for err := error(nil); err == nil; err = a.conn.SendPing(ctx) {
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
			}
		}
	})
	running.Go(func() {
		if err := a.serve(ctx); err != nil && ctx.Err() == nil {
			b.Errorf("the agent: %v", err)
		}
	})
	b.Cleanup(func() {
		cancel()
		a.conn.Drop()
		running.Wait()
		a.client.CloseIdleConnections()
	})
}

// serve shakes hands and does what it is asked.
func (a *fieldAgent) serve(ctx context.Context) error {
	err := tell(ctx, a.conn, wire.Come, "", &wire.ComePayload{
		ID: "a", Name: "exec-agent", Version: "1.0.0", IP: net.IPv4(127, 0, 0, 1), HostName: "host-01", OS: "linux", Platform: "debian",
		PlatformVersion: "12.11", KernelVersion: "6.1.0", Arch: "x86_64", CPU: "AMD EPYC", CPUCore: 2, Memory: 25276502016,
	})
	for err == nil {
		var f *wire.Frame
		if f, err = a.conn.Receive(); err != nil {
			break
		}
		switch f.Type {
		case wire.Handshake.Type():
			var h wire.HandshakePayload
			if h, err = wire.Handshake.Decode(f); err == nil && !h.OK {
				err = errors.New(h.Msg)
			}
		case wire.Download.Type():
			var q wire.DownloadPayload
			if q, err = wire.Download.Decode(f); err == nil {
				err = a.download(ctx, f.Task, q.Dir)
			}
		case wire.Upload.Request.Type():
			var q wire.UploadRequest
			if q, err = wire.Upload.Request.Decode(f); err == nil {
				err = a.upload(ctx, f.Task, &q)
			}
		}
	}
	return err
}

// tell sends a message.
func tell[T any](ctx context.Context, c *conn.Conn, m *wire.Message[T], task string, v *T) error {
	frame, err := m.Append(nil, task, v)
	if err != nil {
		return err
	}
	return c.Send(ctx, conn.Bulk, frame)
}

func (a *fieldAgent) download(ctx context.Context, task, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	sum := md5.New()
	size, err := io.Copy(sum, in)
	if err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	err = tell(ctx, a.conn, wire.DownloadInfo, task, &wire.DownloadInfoPayload{
		Dir: file, OK: true, Size: uint64(size), BlockSize: fieldBlock, MD5: [md5.Size]byte(sum.Sum(nil)),
	})
	buf := make([]byte, fieldBlock)
	for offset := int64(0); err == nil && offset < size; {
		var n int
		if n, err = io.ReadFull(in, buf[:min(fieldBlock, size-offset)]); err == nil {
			err = tell(ctx, a.conn, wire.DownloadData, task, &wire.DownloadDataPayload{Offset: uint64(offset), Data: block.Encode(buf[:n])})
		}
		offset += int64(n)
	}
	return err
}

// upload writes the file where it is to be; the disk has it when it likes.
func (a *fieldAgent) upload(ctx context.Context, task string, q *wire.UploadRequest) error {
	content, err := a.content(ctx, q)
	if err != nil {
		return err
	}
	defer content.Close()
	path := filepath.Join(q.Dir, q.Name)
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	sum := md5.New()
	if _, err := io.Copy(io.MultiWriter(out, sum), content); err != nil {
		return err
	}
	r := wire.UploadReply{Dir: path, OK: [md5.Size]byte(sum.Sum(nil)) == q.MD5}
	if !r.OK {
		r.Msg = "invalid checksum"
	}
	return tell(ctx, a.conn, wire.Upload.Reply, task, &r)
}

// content is in the request, or to be fetched from the server.
func (a *fieldAgent) content(ctx context.Context, q *wire.UploadRequest) (io.ReadCloser, error) {
	if q.URI == "" {
		data, err := block.Decode(q.Data, wire.MaxInline)
		return io.NopCloser(bytes.NewReader(data)), err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.server+q.URI, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Token", q.Token)
	res, err := a.client.Do(req)
	if err == nil && res.StatusCode != http.StatusOK {
		res.Body.Close()
		err = fmt.Errorf("fetch %q: %s", q.URI, res.Status)
	}
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
