package libagent_test

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// download asks for log files and returns what came.
func (s *session) download(task string, names ...string) (info wire.LogDownloadInfoPayload, whole []byte) {
	s.t.Helper()
	q, err := json.Marshal(names)
	if err != nil {
		s.t.Fatal(err)
	}
	s.raw(fmt.Sprintf(`{"type":10002,"tid":%q,"log_dreq":{"files":%s}}`, task, q))
	for first := true; first || info.OK && uint64(len(whole)) < info.Size; {
		f, err := s.Receive()
		if err != nil {
			s.t.Fatal(err)
		}
		if f.Task != task {
			continue // a report
		}
		if first {
			first = false
			if info, err = wire.LogDownloadInfo.Decode(f); err != nil {
				s.t.Fatal(err)
			}
			continue
		}
		d, err := wire.LogDownloadData.Decode(f)
		if err != nil {
			s.t.Fatal(err)
		}
		b, err := block.Decode(d.Data, 1<<20)
		if err != nil {
			s.t.Fatal(err)
		}
		if d.Offset != uint64(len(whole)) {
			s.t.Fatalf("a block at %d after %d bytes", d.Offset, len(whole))
		}
		if end := d.Offset+uint64(len(b)) == info.Size; uint64(len(b)) != info.BlockSize && !end {
			s.t.Fatalf("a block of %d bytes, announced were %d", len(b), info.BlockSize)
		}
		whole = append(whole, b...)
	}
	return info, whole
}

// unzip returns the files of a zip.
func unzip(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return files
}

// An operator sees the agent's log files and gets them, whole, while the agent goes on logging; and gets nothing else,
// whatever he asks for.
func TestLogs(t *testing.T) {
	dir := t.TempDir()
	big := make([]byte, 300<<10)
	for i := range big {
		big[i] = byte('a' + rand.IntN(20))
	}
	old := filepath.Join(dir, "test-agent.log.1")
	if err := os.WriteFile(old, big, 0o640); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret.txt")
	if err := os.WriteFile(secret, []byte("password"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "test-agent.log.2")); err != nil {
		t.Log("no symbolic links here:", err)
	}
	app := &testApp{}
	talked := make(chan error, 1)
	srv := newServer(t, func(s *session) {
		s.accept()
		talked <- talkLogs(s, big)
		s.drain()
	})
	ag := start(t, srv, app, func(o *libagent.Options, c *testConf) {
		o.Logger = nil
		c.Log.Target, c.Log.Dir = []string{"file"}, dir
	})
	if err := <-talked; err != nil {
		t.Error(err)
	}
	ag.end(srv)
}

func talkLogs(s *session, big []byte) error {
	s.raw(`{"type":10000,"tid":"list"}`)
	f, err := s.next()
	for err == nil && f.Task != "list" {
		f, err = s.next()
	}
	if err != nil {
		return err
	}
	info, whole := s.download("two", "test-agent.log", "test-agent.log.1", "test-agent.log")
	if !info.OK || md5.Sum(whole) != info.MD5 {
		return fmt.Errorf("the zip is not what was announced: %+v", info)
	}
	files := unzip(s.t, whole)
	if len(files) != 2 || !bytes.Equal(files["test-agent.log.1"], big) || !bytes.Contains(files["test-agent.log"], []byte("agent starts")) {
		return fmt.Errorf("the zip holds %d files", len(files))
	}
	for i, names := range [][]string{
		{"../conf/agent.conf"}, {"secret.txt"}, {"/etc/passwd"}, {"test-agent.log.2"}, {"test-agent.log", "secret.txt"}, {"test-agent.log/../secret.txt"},
		{""}, {"."}, {"nope.log"}, {}, {strings.Repeat("x", 1<<20)}, {"test-agent.log\x00"},
	} {
		info, whole := s.download(fmt.Sprintf("bad-%d", i), names...)
		if info.OK || info.Msg == "" || len(whole) > 0 {
			return fmt.Errorf("asked for %.60q: %+v and %d bytes", names, info, len(whole))
		}
	}
	return nil
}

// Without log files the list is empty, not an error.
func TestLogsToStdout(t *testing.T) {
	converse(t, &testApp{}, func(s *session, _ *running) {
		s.raw(`{"type":10000,"tid":"list"}`)
		for {
			f, err := s.Receive()
			if err != nil {
				t.Fatal(err)
			}
			if f.Task != "list" {
				continue
			}
			r, err := wire.LogList.Reply.Decode(f)
			if err != nil || len(r.Files) != 0 {
				t.Errorf("%+v, %v", r, err)
			}
			break
		}
		if info, _ := s.download("x", "test-agent.log"); info.OK || !strings.Contains(info.Msg, "not exist") {
			t.Errorf("%+v", info)
		}
	})
}
