package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// peak is how much memory each program has had at most, in bytes: the server first.
func (f *remoteFleet) peak() (all []int64) {
	f.t.Helper()
	for _, p := range f.programs {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		check(f.t, err)
		m := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(text)
		if m == nil {
			f.t.Fatalf("no VmHWM in\n%s", text)
		}
		n, err := strconv.ParseInt(string(m[1]), 10, 64)
		check(f.t, err)
		all = append(all, n<<10)
	}
	return all
}

// mostMemory is what a program may have, whatever it moves.
const mostMemory = 320 << 20

func (f *remoteFleet) flat(what string) {
	f.t.Helper()
	peak := f.peak()
	f.t.Logf("%s: server and agents have had %d MiB", what, []int64{peak[0] >> 20, peak[1] >> 20, peak[2] >> 20})
	for i, n := range peak {
		if n > mostMemory {
			f.t.Errorf("%s: program %d has had %d bytes of memory", what, i, n)
		}
	}
}

type endView struct {
	Payload struct {
		Done      bool
		Code      int
		Why       string
		Size      int64
		Truncated int64
	}
}

// end waits for the end of a command.
func (f *remoteFleet) end(pid int) (v endView) {
	f.t.Helper()
	eventually(f.t, "the end of the command", func() bool {
		_, body := f.get(fmt.Sprint("/api/exec/a/status/", pid))
		check(f.t, json.Unmarshal([]byte(body), &v))
		return v.Payload.Done
	})
	return v
}

// Output and files beyond what memory has room for, in flat memory.
func TestRemoteSizes(t *testing.T) {
	if !soaking() {
		t.Skip("SKIP: moves gigabytes; JKFRAME_SOAK=1 has it done")
	}
	f := newRemoteFleet(t, "")

	_, v := f.run("a", `{"cmd":"yes","timeout":30,"result":false}`)
	if e := f.end(v.Payload.PID).Payload; e.Code != -1 || e.Why != "timeout" || e.Size == 0 || e.Size > 65<<20 || e.Truncated == 0 {
		t.Errorf("yes: %+v", e)
	} else {
		t.Logf("yes: %d bytes are kept, %d are not", e.Size, e.Truncated)
	}
	f.flat("yes")

	const much int64 = 10_000_000_000
	_, v = f.run("a", fmt.Sprintf(`{"cmd":"head","args":["-c","%d","/dev/zero"],"timeout":3600,"result":false}`, much))
	reader := f.request(http.MethodGet, fmt.Sprintf("/api/exec/a/pty/%d?follow=1", v.Payload.PID), "", nil)
	reader.Header.Set("Authorization", "Bearer "+f.token)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(reader)
	check(t, err)
	defer resp.Body.Close() // nothing of it is read until then
	if e := f.end(v.Payload.PID).Payload; e.Code != 0 || e.Size > 65<<20 || e.Size+e.Truncated < much {
		t.Errorf("10 GB: %+v", e)
	}
	f.flat("10 GB")
	if status, v := f.run("a", `{"cmd":"true"}`); status != 200 {
		t.Errorf("beside a reader that reads nothing: %d %+v", status, v)
	}

	const n, size = 50, 64 << 20
	content := []byte(text(size))
	want := sha256.Sum256(content)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := f.uploadStream(strconv.Itoa(i), content); err != nil {
				t.Errorf("upload %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i := range n {
		h := sha256.New()
		in, err := os.Open(filepath.Join(f.open, strconv.Itoa(i)))
		check(t, err)
		_, err = io.Copy(h, in)
		check(t, err)
		check(t, in.Close())
		if [sha256.Size]byte(h.Sum(nil)) != want {
			t.Errorf("upload %d is another file", i)
		}
	}
	f.flat("50 uploads of 64 MiB")
}

// uploadStream uploads without a copy of the content.
func (f *remoteFleet) uploadStream(name string, content []byte) error {
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	for key, value := range map[string]string{"dir": f.open, "timeout": "3600"} {
		if err := w.WriteField(key, value); err != nil {
			return err
		}
	}
	if _, err := w.CreateFormFile("file", name); err != nil {
		return err
	}
	begin := bytes.Clone(head.Bytes())
	head.Reset()
	if err := w.Close(); err != nil {
		return err
	}
	body := io.MultiReader(bytes.NewReader(begin), bytes.NewReader(content), &head)
	req := f.request(http.MethodPost, "/api/file/a/upload", w.FormDataContentType(), body)
	req.Header.Set("Authorization", "Bearer "+f.token)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d %s, %w", resp.StatusCode, answer, err)
	}
	return nil
}
