package exec_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// sideBySide does work b.N times with so many callers.
func sideBySide(b *testing.B, callers int, work func() error) {
	b.Helper()
	todo := make(chan struct{}, b.N)
	for range b.N {
		todo <- struct{}{}
	}
	close(todo)
	var wg sync.WaitGroup
	failed := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for range todo {
				if err := work(); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
}

// BenchmarkCommand runs /bin/true.
func BenchmarkCommand(b *testing.B) {
	for _, callers := range []int{1, 50} {
		b.Run("ours/callers="+strconv.Itoa(callers), func(b *testing.B) {
			f := startFleet(b)
			sideBySide(b, callers, func() error {
				resp, err := f.do(http.MethodPost, "/api/exec/a/run", "application/json", strings.NewReader(`{"cmd":"/bin/true"}`))
				return whole(resp, err, -1)
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
		})
		b.Run("ssh/callers="+strconv.Itoa(callers), func(b *testing.B) {
			ssh := startSSH(b)
			sideBySide(b, callers, func() error { return ssh("true") })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
		})
	}
}

// whole reads an answer to its end, and wants so many bytes; -1 for any.
func whole(resp *http.Response, err error, want int64) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, make([]byte, 256<<10))
	if err == nil && (resp.StatusCode != http.StatusOK || want >= 0 && n != want) {
		err = fmt.Errorf("status %d, %d bytes", resp.StatusCode, n)
	}
	return err
}

// sizes are those of the files.
var sizes = map[string]int64{"1MiB": 1 << 20, "1GiB": 1 << 30}

// BenchmarkDownload reads files of the agent's host.
func BenchmarkDownload(b *testing.B) {
	for _, name := range []string{"1MiB", "1GiB"} {
		for _, callers := range []int{1, 50} {
			b.Run(name+"/callers="+strconv.Itoa(callers), func(b *testing.B) {
				f := startFleet(b)
				file := f.file(b, sizes[name])
				b.SetBytes(sizes[name])
				sideBySide(b, callers, func() error { return f.download(file, sizes[name]) })
			})
		}
	}
}

// download reads a file of so many bytes to its end.
func (f *fleet) download(file string, size int64) error {
	resp, err := f.do(http.MethodGet, "/api/file/a/download?timeout=3600&dir="+url.QueryEscape(file), "", nil)
	return whole(resp, err, size)
}

// BenchmarkUpload writes files on the agent's host.
func BenchmarkUpload(b *testing.B) {
	for _, name := range []string{"1MiB", "1GiB"} {
		for _, callers := range []int{1, 50} {
			b.Run(name+"/callers="+strconv.Itoa(callers), func(b *testing.B) {
				f := startFleet(b)
				file := f.file(b, sizes[name])
				b.SetBytes(sizes[name])
				var n atomic.Int64
				sideBySide(b, callers, func() error {
					return f.upload(file, fmt.Sprint("up-", n.Add(1)%int64(callers)))
				})
			})
		}
	}
}

// upload sends a form as curl does: the file last, and the length of all of it first.
func (f *fleet) upload(file, to string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	form := multipart.NewWriter(&text)
	for name, value := range map[string]string{"dir": f.dir, "timeout": "3600"} {
		if err := form.WriteField(name, value); err != nil {
			return err
		}
	}
	if _, err := form.CreateFormFile("file", to); err != nil {
		return err
	}
	head := bytes.Clone(text.Bytes())
	text.Reset()
	if err := form.Close(); err != nil {
		return err
	}
	req, err := f.request(http.MethodPost, "/api/file/a/upload", form.FormDataContentType(),
		io.MultiReader(bytes.NewReader(head), in, &text))
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(head)+text.Len()) + info.Size()
	resp, err := f.client.Do(req)
	return whole(resp, err, -1)
}

// BenchmarkLimit does what of an upload is the disk's: a file is written, flushed and renamed, and its folder is flushed.
func BenchmarkLimit(b *testing.B) {
	for _, name := range []string{"1MiB", "1GiB"} {
		for _, callers := range []int{1, 50} {
			b.Run(name+"/callers="+strconv.Itoa(callers), func(b *testing.B) {
				dir := b.TempDir()
				var n atomic.Int64
				b.SetBytes(sizes[name])
				sideBySide(b, callers, func() error {
					return settle(dir, fmt.Sprint("up-", n.Add(1)%int64(callers)), sizes[name])
				})
			})
		}
	}
}

// settle writes a file so that it is there after a crash.
func settle(dir, name string, size int64) error {
	f, err := os.CreateTemp(dir, "part-")
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 256<<10)
	for left := size; left > 0; left -= int64(len(block)) {
		if _, err := f.Write(block[:min(left, int64(len(block)))]); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// startSSH runs sshd and opens the connection that all commands share.
func startSSH(b *testing.B) func(command string) error {
	b.Helper()
	sshd, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		b.Skip("SKIP: there is no sshd")
	}
	dir, err := os.MkdirTemp("", "ssh-") // a short name: that of a socket is bounded
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key)).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	addr := freeport.Addr(b)
	_, port, _ := strings.Cut(addr, ":")
	conf := fmt.Sprintf("ListenAddress %s\nHostKey %s/host\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nPermitRootLogin yes\n"+
		"MaxSessions 1000\nMaxStartups 1000\nUsePAM no\nPidFile none\n", addr, dir, dir)
	if err := os.WriteFile(filepath.Join(dir, "sshd_config"), []byte(conf), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		b.Skipf("SKIP: sshd needs a folder: %v", err)
	}
	launch(b, dir, sshd, "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	args := []string{
		"-F", "none", "-p", port, "-i", filepath.Join(dir, "user"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "ControlPath=" + filepath.Join(dir, "mux"), "-o", "BatchMode=yes",
	}
	for ; ; time.Sleep(50 * time.Millisecond) { // it is starting
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			break
		}
	}
	master := exec.Command("ssh", append(args[:len(args):len(args)], "-M", "-N", "127.0.0.1")...)
	if err := master.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- master.Wait() }()
	b.Cleanup(func() {
		master.Process.Kill()
		ended <- <-ended
	})
	run := func(command string) error {
		return exec.Command("ssh", append(args[:len(args):len(args)], "127.0.0.1", command)...).Run()
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "mux")); err == nil {
			return run
		}
		select {
		case err := <-ended:
			ended <- err
			b.Fatalf("ssh does not connect: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
