package e2e_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// An agent gets a file while its form still comes, and what it lacks after its line was reset in the middle.
func TestRemoteUploadOverBadLine(t *testing.T) {
	listen := freeport.Addr(t)
	f := newRemoteFleetAt(t, listen, freeport.Addr(t), "")
	line := newRelay(t, listen)
	host := t.TempDir()
	conf := write(t, filepath.Join(host, "agent.conf"), "basic.id = far\nbasic.server = %s\n", line.addr())
	write(t, filepath.Join(host, "policy.conf"), remotePolicy, f.open)
	run(t, host, executable(build(t, "github.com/jkstack/jkframe/v2/examples/exec-agent"), "exec-agent"), "run", "--conf", conf)
	eventually(t, "the agent", func() bool { status, _ := f.get("/api/agents/far"); return status == http.StatusOK })

	content := []byte(text(6 << 20))
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	req := f.request(http.MethodPost, "/api/file/far/upload", form.FormDataContentType(), r)
	req.Header.Set("Authorization", "Bearer "+f.token)
	answered := make(chan string, 1)
	go func() {
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- resp.Status + string(bytes.TrimSpace(body))
	}()
	check(t, form.WriteField("dir", f.open))
	check(t, form.WriteField("timeout", "600"))
	file, err := form.CreateFormFile("file", "far")
	check(t, err)
	_, err = file.Write(content[:3<<20])
	check(t, err)
	eventually(t, "the beginning on the host", func() bool { return f.begun() >= 1<<20 })
	line.reset()
	_, err = file.Write(content[3<<20:])
	check(t, err)
	check(t, form.Close())
	check(t, w.Close())
	if got := <-answered; got != `200 OK{"code":0}` {
		t.Errorf("answered %s", got)
	}
	if got, err := os.ReadFile(filepath.Join(f.open, "far")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := f.begun(); n != 0 {
		t.Errorf("%d bytes are left of it", n)
	}
}

// begun is how large what is being written on the host has become, in bytes.
func (f *remoteFleet) begun() (n int64) {
	f.t.Helper()
	all, err := os.ReadDir(f.open)
	check(f.t, err)
	for _, d := range all {
		if info, err := d.Info(); err == nil && filepath.Ext(d.Name()) == ".part" {
			n += info.Size()
		}
	}
	return n
}
