package e2e_test

import (
	"archive/tar"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// remoteFleet is a server and two exec-agents on one host, as programs.
type remoteFleet struct {
	t      *testing.T
	api    string
	token  string
	open   string // a folder that may be read and written
	policy string
	homes  []string // of the programs

	programs []*program
}

const remotePolicy = `exec.enabled = true
exec.allow = *
exec.deny = rm *
exec.shell = true
file.read = %[1]s
file.write = %[1]s
file.size = 64MiB
`

func newRemoteFleet(t *testing.T, serverKeys string) *remoteFleet {
	t.Helper()
	return newRemoteFleetAt(t, freeport.Addr(t), freeport.Addr(t), serverKeys)
}

func newRemoteFleetAt(t *testing.T, listen, api, serverKeys string) *remoteFleet {
	t.Helper()
	bin := build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "github.com/jkstack/jkframe/v2/examples/exec-agent")
	home := t.TempDir()
	f := &remoteFleet{t: t, api: api, open: t.TempDir()}
	conf := write(t, filepath.Join(home, "server.conf"), "listen = %s\napi.listen = %s\ndata_dir = data\n%s", listen, f.api, serverKeys)
	server := run(t, home, executable(bin, "agent-server"), "run", "--conf", conf)
	f.programs, f.homes = append(f.programs, server), append(f.homes, home)
	eventually(t, "start of the server", func() bool { return strings.Contains(server.log(), "server started") })
	token, err := os.ReadFile(filepath.Join(home, "data", "api.token"))
	if err != nil {
		t.Fatal(err)
	}
	f.token = strings.TrimSpace(string(token))
	for _, id := range []string{"a", "b"} {
		host := t.TempDir()
		conf := write(t, filepath.Join(host, "agent.conf"), "basic.id = %s\nbasic.server = %s\n", id, listen)
		policy := write(t, filepath.Join(host, "policy.conf"), remotePolicy, f.open)
		if id == "a" {
			f.policy = policy
		}
		f.programs, f.homes = append(f.programs, run(t, host, executable(bin, "exec-agent"), "run", "--conf", conf)), append(f.homes, host)
		eventually(t, "agent "+id, func() bool { status, _ := f.get("/api/agents/" + id); return status == http.StatusOK })
	}
	return f
}

// do calls the API, and returns status and body of the answer.
func (f *remoteFleet) do(req *http.Request) (*http.Response, string) {
	f.t.Helper()
	req.Header.Set("Authorization", "Bearer "+f.token)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req) // not through a proxy
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatalf("%s: %v", req.URL, err)
	}
	return resp, strings.TrimSpace(string(body))
}

func (f *remoteFleet) request(method, path, contentType string, body io.Reader) *http.Request {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, "http://"+f.api+path, body)
	if err != nil {
		f.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func (f *remoteFleet) get(path string) (int, string) {
	f.t.Helper()
	resp, body := f.do(f.request(http.MethodGet, path, "", nil))
	return resp.StatusCode, body
}

// form calls with a form: pairs of names and values, and a file that comes where its name stands. An empty name is no file.
func (f *remoteFleet) form(path, fileName, content string, pairs ...string) (int, string) {
	f.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] != "file" {
			check(f.t, w.WriteField(pairs[i], pairs[i+1]))
			continue
		}
		part, err := w.CreateFormFile("file", fileName)
		check(f.t, err)
		_, err = io.WriteString(part, content)
		check(f.t, err)
	}
	check(f.t, w.Close())
	resp, text := f.do(f.request(http.MethodPost, path, w.FormDataContentType(), &body))
	return resp.StatusCode, text
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type ranView struct {
	Code    int
	Msg     string
	Why     string
	Payload struct {
		PID    int
		Result *struct {
			Running bool
			Code    int
			Data    []byte
			Why     string
		}
	}
}

func (f *remoteFleet) run(agent, order string) (status int, v ranView) {
	f.t.Helper()
	resp, body := f.do(f.request(http.MethodPost, "/api/exec/"+agent+"/run", "application/json", strings.NewReader(order)))
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		f.t.Fatalf("%s: %v", body, err)
	}
	return resp.StatusCode, v
}

func wants(t *testing.T, what string, status int, body string, wantStatus int, parts ...string) {
	t.Helper()
	if status != wantStatus {
		t.Errorf("%s: status %d, want %d: %s", what, status, wantStatus, body)
	}
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("%s: %s lacks %s", what, body, part)
		}
	}
}

// text is n bytes of a file.
func text(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strconv.Itoa(i * 7919))
		b.WriteByte('\n')
	}
	return b.String()[:n]
}

// What an operator does with commands, under /api, with the programs as they are built.
func TestRemoteCommands(t *testing.T) {
	f := newRemoteFleet(t, "")
	for name, tt := range map[string]struct {
		order string
		code  int
		data  string
		why   string
	}{
		"arguments": {`{"cmd":"printf","args":["%s|","a b","$HOME;x"]}`, 0, "a b|$HOME;x|", ""},
		"a line":    {`{"cmd":"echo $((40+2)); exit 3"}`, 3, "42\n", ""},
		"env":       {`{"cmd":"sh","args":["-c","echo $WHO"],"env":["WHO=me"]}`, 0, "me\n", ""},
		"folder":    {`{"cmd":"pwd","workdir":"/"}`, 0, "/\n", ""},
		"input":     {`{"cmd":"cat","stdin":"aGVsbG8="}`, 0, "hello", ""},
		"terminal":  {`{"cmd":"stty","args":["size"],"pty":true,"rows":40,"cols":123}`, 0, "40 123\r\n", ""},
		"signal":    {`{"cmd":"kill -9 $$"}`, -1, "", "signal"},
		"late":      {`{"cmd":"sleep","args":["600"],"timeout":1}`, -1, "", "timeout"},
	} {
		status, v := f.run("a", tt.order)
		if r := v.Payload.Result; status != 200 || r == nil || r.Running || r.Code != tt.code || string(r.Data) != tt.data {
			t.Errorf("%s: status %d, %+v, %+v", name, status, v, r)
		} else if tt.why == "timeout" && r.Why != tt.why {
			t.Errorf("%s: why %q", name, r.Why)
		}
	}
	for name, tt := range map[string]struct {
		agent, order string
		status       int
		why          string
	}{
		"refused":        {"a", `{"cmd":"rm","args":["-rf","/nothing"]}`, 403, "policy"},
		"another user":   {"a", `{"cmd":"true","user":"daemon"}`, 403, "policy"},
		"not there":      {"a", `{"cmd":"no-such-program"}`, 503, "not_found"},
		"not a program":  {"a", `{"cmd":"/etc/passwd"}`, 503, "not_executable"},
		"no such folder": {"a", `{"cmd":"true","workdir":"/no/such"}`, 503, "no_folder"},
		"nobody":         {"x", `{"cmd":"true"}`, 404, ""},
		"no command":     {"a", `{}`, 400, ""},
	} {
		if status, v := f.run(tt.agent, tt.order); status != tt.status || v.Why != tt.why || v.Code != tt.status || v.Msg == "" {
			t.Errorf("%s: status %d, %+v", name, status, v)
		}
	}

	// One that goes on: its output while it comes, how it stands, and its end.
	gate := filepath.Join(f.open, "gate")
	status, v := f.run("a", fmt.Sprintf(`{"cmd":"echo one; while [ ! -e %s ]; do sleep 0.02; done; echo two","result":false}`, gate))
	if status != 200 || v.Payload.PID == 0 || v.Payload.Result != nil {
		t.Fatalf("start: %d %+v", status, v)
	}
	pid := strconv.Itoa(v.Payload.PID)
	eventually(t, "its first line", func() bool { _, body := f.get("/api/exec/a/pty/" + pid); return body == "one" })
	status, body := f.get("/api/exec/a/status/" + pid)
	wants(t, "status", status, body, 200, `"done":false`)
	status, body = f.get("/api/exec/a/ps")
	wants(t, "ps", status, body, 200, `"pid":`+pid)
	status, body = f.get("/api/exec/b/status/" + pid)
	wants(t, "status at another agent", status, body, 404)
	followed := make(chan string, 1)
	go func() { _, body := f.get("/api/exec/a/pty/" + pid + "?follow=1"); followed <- body }()
	status, body = f.form("/api/file/a/upload", "gate", "", "dir", f.open, "file", "")
	wants(t, "an empty file", status, body, 200)
	if body := <-followed; body != "one\ntwo" {
		t.Errorf("followed: %q", body)
	}
	status, body = f.get("/api/exec/a/status/" + pid)
	wants(t, "status at the end", status, body, 200, `"done":true`, `"code":0`)

	_, v = f.run("a", `{"cmd":"sleep","args":["600"],"result":false}`)
	pid = strconv.Itoa(v.Payload.PID)
	resp, body := f.do(f.request(http.MethodDelete, "/api/exec/a/kill/"+pid, "", nil))
	wants(t, "kill", resp.StatusCode, body, 200)
	f.get("/api/exec/a/pty/" + pid + "?follow=1") // returns at its end
	status, body = f.get("/api/exec/a/status/" + pid)
	wants(t, "status of what was killed", status, body, 200, `"done":true`, `"code":-1`, `"why":"killed"`)

	// Scripts.
	status, body = f.form("/api/script/a/run", "x.sh", "echo \"$1-$2\"; exit 5\n", "type", "sh", "file", "", "args", "p q", "args", "r")
	wants(t, "script", status, body, 200, `"code":5`, `"data":"cCBxLXIK"`)
	// It may hold secrets, and other users of the host see its name.
	status, body = f.form("/api/script/a/run", "x.sh", "stat -c %a \"$0\"\n", "type", "sh", "file", "")
	wants(t, "mode of a script", status, body, 200, `"data":"NjAwCg=="`)
	status, body = f.form("/api/script/a/run", "x.sh", "true\n", "type", "sh", "file", "", "md5", strings.Repeat("0", 32))
	wants(t, "script with a wrong sum", status, body, 400)
	status, body = f.form("/api/script/a/run", "x.pl", "1", "type", "perl", "file", "")
	wants(t, "script of no type", status, body, 400)

	// The policy holds from the next order on, and what it says is the host's alone.
	check(t, os.WriteFile(f.policy, []byte("exec.enabled = false\n"), 0o600))
	if status, v := f.run("a", `{"cmd":"true"}`); status != 403 || v.Why != "policy" {
		t.Errorf("after the edit: %d %+v", status, v)
	}
	status, body = f.form("/api/script/a/run", "x.sh", "true\n", "type", "sh", "file", "")
	wants(t, "a script after the edit", status, body, 403)
	check(t, os.Remove(f.policy))
	if status, v := f.run("a", `{"cmd":"true"}`); status != 403 || !strings.Contains(v.Msg, "policy.conf") {
		t.Errorf("without a policy: %d %+v", status, v)
	}
}

// What an operator does with files.
func TestRemoteFiles(t *testing.T) {
	f := newRemoteFleet(t, "")
	big := text(5<<20 + 17)
	sum := md5.Sum([]byte(big))
	for name, content := range map[string]string{"empty": "", "small": "hello\n", "inline": text(32 << 10), "middle": text(1 << 20), "big": big} {
		status, body := f.form("/api/file/a/upload", name, content, "dir", filepath.Join(f.open, "new", "deep"), "file", "", "mod", "640")
		wants(t, name, status, body, 200, `"code":0`)
		path := filepath.Join(f.open, "new", "deep", name)
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%s: %d bytes of %d on the host, %v", name, len(got), len(content), err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		resp, got := f.do(f.request(http.MethodGet, "/api/file/a/download?dir="+url.QueryEscape(path), "", nil))
		if resp.StatusCode != 200 || got != strings.TrimSpace(content) || resp.ContentLength != int64(len(content)) {
			t.Errorf("%s: status %d, %d bytes of %d come back", name, resp.StatusCode, len(got), len(content))
		}
	}
	path := filepath.Join(f.open, "new", "deep", "big")
	rest := f.request(http.MethodGet, "/api/file/a/download?dir="+url.QueryEscape(path), "", nil)
	rest.Header.Set("Range", "bytes=5000000-")
	if resp, got := f.do(rest); resp.StatusCode != 206 || got != strings.TrimSpace(big[5000000:]) {
		t.Errorf("the rest: status %d, %d bytes", resp.StatusCode, len(got))
	}
	status, body := f.get("/api/file/a/ls?dir=" + url.QueryEscape(filepath.Dir(path)))
	wants(t, "ls", status, body, 200, `"name":"big","auth":416`, `"size":5242897`, `"name":"empty"`)

	for name, tt := range map[string]struct {
		pairs  []string
		status int
	}{
		"the right sum":      {[]string{"dir", f.open, "md5", hex.EncodeToString(sum[:]), "file", ""}, 200},
		"the sum afterwards": {[]string{"dir", f.open, "file", "", "md5", hex.EncodeToString(sum[:])}, 200},
		"all afterwards":     {[]string{"file", "", "mod", "600", "dir", f.open}, 200},
		"mode afterwards":    {[]string{"dir", f.open, "file", "", "mod", "600"}, 200},
	} {
		_ = os.Remove(filepath.Join(f.open, "other"))
		status, body := f.form("/api/file/a/upload", "other", big, tt.pairs...)
		wants(t, name, status, body, tt.status)
		got, err := os.ReadFile(filepath.Join(f.open, "other"))
		if err != nil || string(got) != big {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if info, err := os.Stat(filepath.Join(f.open, "other")); strings.HasSuffix(name, "all afterwards") && (err != nil || info.Mode() != 0o600) {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}

	// What fails leaves the old file where it was, and nothing beside it.
	old := write(t, filepath.Join(f.open, "old"), "old")
	for name, tt := range map[string]struct {
		content string
		pairs   []string
		status  int
	}{
		"a wrong sum":           {big, []string{"dir", f.open, "md5", strings.Repeat("0", 32), "file", ""}, 400},
		"a wrong sum after it":  {big, []string{"dir", f.open, "file", "", "md5", strings.Repeat("0", 32)}, 400},
		"a wrong mode after it": {big, []string{"dir", f.open, "file", "", "mod", "rwx"}, 400},
		"no folder":             {big, []string{"file", ""}, 400},
		"setuid":                {"x", []string{"dir", f.open, "mod", "4755", "file", ""}, 403},
		"an unknown owner":      {big, []string{"dir", f.open, "own_user", "no-such-user", "file", ""}, 503},
		"too large":             {text(64<<20 + 1), []string{"dir", f.open, "file", ""}, 503},
	} {
		status, body := f.form("/api/file/a/upload", "old", tt.content, tt.pairs...)
		wants(t, name, status, body, tt.status)
		if got, err := os.ReadFile(old); err != nil || string(got) != "old" {
			t.Errorf("%s: the old file has %d bytes, %v", name, len(got), err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(f.open, ".upload-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}

	outside := t.TempDir()
	check(t, os.Symlink(outside, filepath.Join(f.open, "link")))
	write(t, filepath.Join(outside, "secret"), "secret")
	for _, dir := range []string{outside, filepath.Join(f.open, "..", filepath.Base(outside)), filepath.Join(f.open, "link")} {
		status, body := f.form("/api/file/a/upload", "x", "x", "dir", dir, "file", "")
		wants(t, "upload to "+dir, status, body, 403, `"why":"policy"`)
		status, body = f.get("/api/file/a/download?dir=" + url.QueryEscape(dir+"/secret"))
		wants(t, "download from "+dir, status, body, 403, `"why":"policy"`)
		status, body = f.get("/api/file/a/ls?dir=" + url.QueryEscape(dir))
		wants(t, "ls of "+dir, status, body, 403)
	}
	status, body = f.get("/api/file/a/download?dir=" + url.QueryEscape(filepath.Join(f.open, "nothing")))
	wants(t, "download of nothing", status, body, 503, `"why":"not_found"`)
	status, body = f.get("/api/file/a/download?dir=" + url.QueryEscape(f.open))
	wants(t, "download of a folder", status, body, 503, `"why":"not_file"`)
	status, body = f.get("/api/file/x/ls?dir=/")
	wants(t, "ls of nobody", status, body, 404)
}

// Layouts of both dialects.
func TestRemoteLayouts(t *testing.T) {
	pull := t.TempDir()
	f := newRemoteFleet(t, "smart.pull = "+pull+"\n")
	mark := filepath.Join(f.open, "mark")
	status, body := f.form("/api/layout/run", "x.sh", "echo ran >>"+mark+"\n", "ids", "a", "ids", "b", "group", "1", "group", "2", "type", "sh", "file", "")
	wants(t, "layout", status, body, 200)
	finished := func(path, mark, body string) string {
		t.Helper()
		var v struct{ Payload string }
		check(t, json.Unmarshal([]byte(body), &v))
		var state string
		eventually(t, "the end of the layout", func() bool {
			_, state = f.get(path + url.QueryEscape(v.Payload))
			return strings.Contains(state, mark)
		})
		return state
	}
	wants(t, "layout", 0, finished("/api/layout/", `"done":true`, body), 0, `"id":"a"`, `"id":"b"`, `"status":"done"`)
	if got, err := os.ReadFile(mark); err != nil || string(got) != "ran\nran\n" {
		t.Errorf("%q, %v", got, err)
	}
	_, body = f.form("/api/layout/run", "x.sh", "exit 4\n", "ids", "a", "ids", "b", "group", "1", "group", "2", "type", "sh", "file", "")
	wants(t, "a layout that fails", 0, finished("/api/layout/", `"done":true`, body), 0, `"status":"failed"`, `"status":"skipped"`)
	_, body = f.form("/api/layout/run", "x.sh", "sleep 600\n", "ids", "a", "group", "1", "type", "sh", "file", "")
	var id struct{ Payload string }
	check(t, json.Unmarshal([]byte(body), &id))
	eventually(t, "a node at work", func() bool { _, s := f.get("/api/exec/a/ps"); return strings.Contains(s, `"pid"`) })
	resp, body := f.do(f.request(http.MethodDelete, "/api/layout/"+id.Payload, "", nil))
	wants(t, "cancel", resp.StatusCode, body, 200)
	wants(t, "what was cancelled", 0, finished("/api/layout/", `"done":true`, `{"payload":"`+id.Payload+`"}`), 0, `"status":"cancelled"`)
	eventually(t, "the end of its command", func() bool { _, s := f.get("/api/exec/a/ps"); return !strings.Contains(s, `"pid"`) })

	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range map[string]string{
		"data/app": text(2 << 20),
		"main.yaml": fmt.Sprintf(`name: deploy
timeout: 60
tasks:
- {name: who, plugin: exec, cmd: "echo $ID-$IDX", output: WHO}
- {name: only the first, plugin: exec, if: $IDX = 0, cmd: "echo $WHO >%[1]s/first"}
- {name: push, plugin: file, action: push, src: data/app, dst: %[1]s/app-$ID}
- {name: pull, plugin: file, if: $EVEN = true, action: pull, src: %[1]s/first, dst: %[2]s/$ID}
`, f.open, pull),
	} {
		check(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := w.Write([]byte(content))
		check(t, err)
	}
	check(t, w.Close())
	for _, mode := range []string{"sequence", "parallel", "evenodd"} {
		_, body = f.form("/layout/run", "l.tar", b.String(), "ids", "a,b", "mode", mode, "file", "")
		state := finished("/layout/status?task_id=", `"done":true`, body)
		wants(t, mode, 0, state, 0, `"finished_count":2`, `"ok":true`)
		if strings.Contains(state, `"ok":false`) {
			t.Errorf("%s: %s", mode, state)
		}
	}
	for name, want := range map[string]string{filepath.Join(pull, "a"): "a-0\n", filepath.Join(f.open, "app-b"): text(2 << 20)} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	_, body = f.form("/layout/run", "l.tar", b.String(), "ids", "b", "mode", "evenodd", "file", "")
	wants(t, "one node of two groups", 0, finished("/layout/status?task_id=", `"done":true`, body), 0, `"ok":true`)
}

// The dialect at the root.
func TestRemoteSmart(t *testing.T) {
	called := make(chan string, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/done" {
			called <- r.URL.RawQuery
			return
		}
		_, _ = io.WriteString(w, text(3<<20))
	}))
	t.Cleanup(elsewhere.Close)
	host := strings.TrimPrefix(elsewhere.URL, "http://")
	f := newRemoteFleet(t, "smart.callbacks = "+host+"\nsmart.sources = "+host+"\n")
	ask := func(path string, params ...string) string {
		t.Helper()
		q := url.Values{}
		for i := 0; i < len(params); i += 2 {
			q.Set(params[i], params[i+1])
		}
		status, body := f.get(path + "?" + q.Encode())
		if status != 200 {
			t.Errorf("%s: status %d %s", path, status, body)
		}
		return body
	}
	same := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	same(ask("/cmd/sync_run", "id", "a", "cmd", "printf", "args", "%s,x y%2c%z"), `{"code":0,"payload":{"code":0,"data":"eCB5LHo="}}`)
	same(ask("/cmd/sync_run", "id", "a", "cmd", "echo a; exit 9"), `{"code":0,"payload":{"code":9,"data":"YQo="}}`)
	same(ask("/cmd/sync_run", "id", "a", "cmd", "sleep 600", "timeout", "1"), `{"code":0,"payload":{"code":-65535,"data":""}}`)
	same(ask("/cmd/sync_run", "id", "x", "cmd", "true"), `{"code":404,"msg":"client not found"}`)
	if body := ask("/cmd/sync_run", "id", "a", "cmd", "rm", "args", "x"); !strings.HasPrefix(body, `{"code":1,"msg":`) {
		t.Errorf("refused: %s", body)
	}

	var ran struct {
		Payload struct {
			Channel string `json:"channel_id"`
			PID     int
		}
	}
	gate := filepath.Join(f.open, "gate")
	check(t, json.Unmarshal([]byte(ask("/cmd/run", "id", "a", "cmd", "echo begun; while [ ! -e "+gate+" ]; do sleep 0.02; done; exit 6", "callback", elsewhere.URL+"/done?mine=1")), &ran))
	pid := strconv.Itoa(ran.Payload.PID)
	if body := ask("/cmd/ps", "id", "a"); !strings.Contains(body, `"channel":"`+ran.Payload.Channel+`"`) {
		t.Errorf("ps: %s", body)
	}
	if body := ask("/cmd/status", "id", "a", "pid", pid); !strings.Contains(body, `"running":true`) {
		t.Errorf("status: %s", body)
	}
	write(t, gate, "")
	same(<-called, "agent_id=a&mine=1&pid="+pid)
	same(ask("/cmd/pty", "id", "a", "pid", pid, "follow", "1"), "begun")
	if body := ask("/cmd/status", "id", "a", "pid", pid); !strings.Contains(body, `"running":false,"code":6`) {
		t.Errorf("status: %s", body)
	}
	check(t, json.Unmarshal([]byte(ask("/cmd/run", "id", "a", "cmd", "sleep", "args", "600")), &ran))
	same(ask("/cmd/kill", "id", "a", "pid", strconv.Itoa(ran.Payload.PID)), `{"code":0}`)
	ask("/cmd/pty", "id", "a", "pid", strconv.Itoa(ran.Payload.PID), "follow", "1")
	if body := ask("/cmd/run", "id", "a", "cmd", "true", "callback", "http://127.0.0.1:1/"); !strings.HasPrefix(body, `{"code":400,`) {
		t.Errorf("a callback that is not allowed: %s", body)
	}

	content := text(2<<20 + 3)
	_, body := f.form("/file/upload", "up", content, "id", "a", "dir", f.open, "mod", "416", "file", "")
	same(body, `{"code":0,"payload":null}`)
	if info, err := os.Stat(filepath.Join(f.open, "up")); err != nil || info.Mode() != 0o640 || info.Size() != int64(len(content)) {
		t.Errorf("%v, %v", info, err)
	}
	same(ask("/file/download", "id", "a", "dir", filepath.Join(f.open, "up")), strings.TrimSpace(content))
	same(ask("/file/upload_from", "id", "a", "dir", f.open, "name", "from", "uri", elsewhere.URL+"/x"),
		`{"code":0,"payload":{"dir":"`+filepath.Join(f.open, "from")+`"}}`)
	if got, err := os.ReadFile(filepath.Join(f.open, "from")); err != nil || string(got) != text(3<<20) {
		t.Errorf("upload_from: %d bytes, %v", len(got), err)
	}
	if body := ask("/file/upload_from", "id", "a", "dir", f.open, "name", "x", "uri", "http://169.254.169.254/latest"); !strings.HasPrefix(body, `{"code":400,`) {
		t.Errorf("a source that is not allowed: %s", body)
	}
	if body := ask("/file/ls", "id", "a", "dir", f.open); !strings.Contains(body, `"dir":"`+f.open+`"`) || !strings.Contains(body, `"name":"from"`) {
		t.Errorf("ls: %s", body)
	}
	same(ask("/file/ls", "id", "a", "dir", filepath.Join(f.open, "no")), `{"code":404,"msg":"directory not found"}`)
	for path, want := range map[string]string{"/file/download?id=a&dir=" + f.open + "/no": "file not found", "/file/download?id=x&dir=/a": "client not found"} {
		if status, body := f.get(path); status != 404 || body != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
