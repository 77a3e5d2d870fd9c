package libagent_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// download asks for log files and returns what came.
func download(t *testing.T, s *agenttest.Session, names ...string) (info wire.LogDownloadInfoPayload, whole []byte) {
	t.Helper()
	task := agenttest.Send(s, wire.LogDownload, wire.LogDownloadPayload{Files: names})
	info, err := agenttest.Reply(s, task, wire.LogDownloadInfo)
	if err != nil {
		t.Fatal(err)
	}
	for info.OK && uint64(len(whole)) < info.Size {
		d, err := agenttest.Reply(s, task, wire.LogDownloadData)
		if err != nil {
			t.Fatal(err)
		}
		b, err := block.Decode(d.Data, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if d.Offset != uint64(len(whole)) {
			t.Fatalf("a block at %d after %d bytes", d.Offset, len(whole))
		}
		if end := d.Offset+uint64(len(b)) == info.Size; uint64(len(b)) != info.BlockSize && !end {
			t.Fatalf("a block of %d bytes, announced were %d", len(b), info.BlockSize)
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
	srv := newServer(t, nil)
	c := validConf()
	c.Log.Target, c.Log.Dir = []string{"file"}, dir
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- libagent.Run(ctx, &testApp{}, &libagent.Options{Config: c, NetDial: srv.Dial}) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the agent ended with %v", err)
		}
	}()
	s := srv.Accept()
	if _, err := agenttest.Call(s, wire.LogList, wire.Empty{}); err != nil {
		t.Error(err)
	}
	info, whole := download(t, s, "test-agent.log", "test-agent.log.1", "test-agent.log")
	if !info.OK || md5.Sum(whole) != info.MD5 {
		t.Errorf("the zip is not what was announced: %+v", info)
	}
	files := unzip(t, whole)
	if len(files) != 2 || !bytes.Equal(files["test-agent.log.1"], big) || !bytes.Contains(files["test-agent.log"], []byte("agent starts")) {
		t.Errorf("the zip holds %d files", len(files))
	}
	for _, names := range [][]string{
		{"../conf/agent.conf"}, {"secret.txt"}, {"/etc/passwd"}, {"test-agent.log.2"}, {"test-agent.log", "secret.txt"}, {"test-agent.log/../secret.txt"},
		{""}, {"."}, {"nope.log"}, {}, {strings.Repeat("x", 1<<20)}, {"test-agent.log\x00"},
	} {
		info, whole := download(t, s, names...)
		if info.OK || info.Msg == "" || len(whole) > 0 {
			t.Errorf("asked for %.60q: %+v and %d bytes", names, info, len(whole))
		}
	}
}

// Without log files the list is empty, not an error.
func TestLogsToStdout(t *testing.T) {
	inBubble(t, &testApp{}, func(s *agenttest.Session, _ *agenttest.Agent) {
		if r, err := agenttest.Call(s, wire.LogList, wire.Empty{}); err != nil || len(r.Files) != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if info, _ := download(t, s, "test-agent.log"); info.OK || !strings.Contains(info.Msg, "not exist") {
			t.Errorf("%+v", info)
		}
	})
}
