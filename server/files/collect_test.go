package files_test

import (
	"context"
	"crypto/md5"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// serial is an agent of the field with the file "hello", which takes its time before either answer.
type serial struct {
	server.Fleet
	before, between time.Duration
}

func (serial) Get(_ context.Context, id string) (server.Agent, error) {
	return server.Agent{ComePayload: wire.ComePayload{ID: id, Name: files.AgentType}}, nil
}

func (s serial) Call(ctx context.Context, _ string, _ server.Encode, take func(*wire.Frame) (bool, error)) error {
	hello := []byte("hello")
	info, err := wire.DownloadInfo.Append(nil, "t", &wire.DownloadInfoPayload{OK: true, Size: 5, BlockSize: 32768, MD5: md5.Sum(hello)})
	if err != nil {
		return err
	}
	data, err := wire.DownloadData.Append(nil, "t", &wire.DownloadDataPayload{Data: block.Plain(hello)})
	if err != nil {
		return err
	}
	for _, answer := range []struct {
		after time.Duration
		frame []byte
	}{{s.before, info}, {s.between, data}} {
		select {
		case <-time.After(answer.after):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		f, err := wire.Parse(answer.frame)
		if err != nil {
			return err
		}
		if _, err := take(f); err != nil {
			return err
		}
	}
	return nil
}

// An agent of the field that sends other files first is waited for as long as the caller likes; one that stops in the middle is not.
func TestSerialAgent(t *testing.T) {
	for name, tt := range map[string]struct {
		agent serial
		want  error
		took  time.Duration
	}{
		"busy":    {serial{before: 9 * time.Minute}, nil, 9 * time.Minute},
		"slow":    {serial{before: time.Minute, between: 29 * time.Second}, nil, 89 * time.Second},
		"stopped": {serial{before: time.Minute, between: time.Hour}, files.ErrStalled, 90 * time.Second},
		"silent":  {serial{before: time.Hour}, context.DeadlineExceeded, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				f, leave := files.NewWithout(tt.agent, dir)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				begin := time.Now()
				var got []byte
				d, err := f.Download(ctx, "a", "/hello", 0)
				if err == nil {
					got, err = io.ReadAll(d)
					d.Close()
				}
				if took := time.Since(begin); !errors.Is(err, tt.want) || took != tt.took || err == nil && string(got) != "hello" {
					t.Errorf("%q, %v after %v; want %v after %v", got, err, took, tt.want, tt.took)
				}
				if err := leave(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
