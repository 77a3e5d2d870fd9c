package smart_test

import (
	"crypto/md5"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/server/smart"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// No agent fills the disk of the server with what is pulled from it, neither with one file nor together with others.
func TestPullBound(t *testing.T) {
	dir := t.TempDir()
	s, h := startWith(t, smart.Config{Pull: []string{dir}}, files.Config{Disk: 1 << 20})
	h.Put("/large", strings.Repeat("x", 1<<20+1))
	h.Put("/half", strings.Repeat("x", 512<<10+1))
	release := make(chan struct{})
	half := []byte(strings.Repeat("y", 512<<10))
	s.Connect(t, "slow", exec.AgentType, nil, func(a servertest.Ask) { // all comes but for a byte
		content := append(slices.Clip(half), 'y')
		servertest.Send(t, a.Agent, wire.DownloadInfo, a.Task, wire.DownloadInfoPayload{
			OK: true, Size: uint64(len(content)), BlockSize: uint64(len(half)), MD5: md5.Sum(content),
		})
		servertest.Send(t, a.Agent, wire.DownloadData, a.Task, wire.DownloadDataPayload{Data: block.Encode(half)})
		<-release
		servertest.Send(t, a.Agent, wire.DownloadData, a.Task, wire.DownloadDataPayload{
			Offset: uint64(len(half)), Data: block.Encode([]byte("y")),
		})
	})
	pull := func(src string) string {
		return archive(t, "main.yaml", "tasks: [{plugin: file, action: pull, src: "+src+", dst: "+dir+"/$ID}]")
	}
	fails := func(src, why string) {
		t.Helper()
		state, answer := play(t, s, pull(src), "ids", "a")
		if answer != "" || state.Nodes[0].OK || !strings.Contains(state.Nodes[0].Msg, why) {
			t.Errorf("%s: %s %+v, want %q", src, answer, state, why)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "a*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left %q, %v", src, left, err)
		}
	}
	fails("/large", `"/large" has 1048577 bytes, which are more than files.disk (1048576) allows`)

	slow, _ := begin(t, s, pull("/any"), "ids", "slow")
	for there := false; !there; { // nearly all of it
		parts, err := filepath.Glob(filepath.Join(dir, "slow.part-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			info, err := os.Stat(part)
			there = err == nil && info.Size() == int64(len(half))
		}
	}
	fails("/half", "too much is being pulled at the same time: files.disk allows 1048576 bytes")
	close(release)
	if state := finish(t, s, slow); !state.Nodes[0].OK {
		t.Errorf("%+v", state)
	}
	if state, _ := play(t, s, pull("/half"), "ids", "a"); !state.Nodes[0].OK { // what has come takes no room any more
		t.Errorf("%+v", state)
	}
}
