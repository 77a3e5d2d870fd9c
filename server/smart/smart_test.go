package smart_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/server/layout"
	"github.com/jkstack/jkframe/v2/server/smart"
	"github.com/jkstack/jkframe/v2/wire"
)

// start runs a server that speaks the dialect, and a host with two agents.
func start(t *testing.T, cfg smart.Config) (*servertest.Server, *servertest.Host) {
	t.Helper()
	return startWith(t, cfg, files.Config{})
}

// startWith is start with a config of the files.
func startWith(t *testing.T, cfg smart.Config, room files.Config) (*servertest.Server, *servertest.Host) {
	t.Helper()
	f := files.New(room)
	c := exec.New(exec.Config{Grace: time.Second}, f)
	l := layout.New(layout.Config{}, c, f)
	s := servertest.Start(t, f, c, l, smart.New(cfg, c, f, l))
	h := servertest.NewHost(s)
	h.Run = func(q wire.ExecPayload) (string, int64) {
		if q.Cmd == "false" {
			return "", 3
		}
		return q.Cmd + strings.Join(q.Args, "|") + " ", 0
	}
	s.Connect(t, "a", exec.AgentType, nil, h.Answer(t))
	s.Connect(t, "b", exec.AgentType, nil, h.Answer(t))
	s.Connect(t, "m", "metrics-agent", nil, func(servertest.Ask) {})
	return s, h
}

// ask calls with parameters in the query.
func ask(t *testing.T, s *servertest.Server, path string, params ...string) string {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(params); i += 2 {
		q.Add(params[i], params[i+1])
	}
	resp, body := s.Get(t, http.MethodGet, path+"?"+q.Encode())
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d %s", path, resp.StatusCode, body)
	}
	return strings.TrimSpace(body)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// What the server and its hosts are.
func TestInfo(t *testing.T) {
	s, _ := start(t, smart.Config{})
	var info struct {
		Clients, Plugins int
		Version          string
		Created          int64
	}
	body := ask(t, s, "/server/info")
	info = servertest.Payload[struct {
		Clients, Plugins int
		Version          string
		Created          int64
	}](t, body)
	if info.Clients != 3 || info.Version == "" || time.Since(time.Unix(info.Created, 0)) > time.Hour {
		t.Errorf("server: %s", body)
	}
	want(t, ask(t, s, "/host/info", "id", "a"), `{"code":0,"payload":{"hostname":"host-01","os":"linux"}}`)
	want(t, ask(t, s, "/host/info", "id", "x"), `{"code":404,"msg":"client not found"}`)
	want(t, ask(t, s, "/host/info"), `{"code":400,"msg":"Missing [id]"}`)
	one := `{"id":"b","version":"1.0.0","ip":"192.0.2.10","mac":"02:00:c0:00:02:0a","os":"linux","platform":"debian","arch":"x86_64"}`
	want(t, ask(t, s, "/host/list", "ids", "b,nope"), `{"code":0,"payload":[`+one+`]}`)
	if all := ask(t, s, "/host/list"); strings.Count(all, `"id"`) != 3 {
		t.Errorf("all: %s", all)
	}
	want(t, ask(t, s, "/host/search", "keyword", "192.0.2.10"), `{"code":0,"payload":"a"}`)
	want(t, ask(t, s, "/host/search", "keyword", "02-00-C0-00-02-0A"), `{"code":0,"payload":"a"}`)
	want(t, ask(t, s, "/host/search", "keyword", "192.0.2.11"), `{"code":404,"msg":"client not found"}`)
}

// Who may only look fills the server's disk with nothing: a call that needs no file takes none.
func TestNoFile(t *testing.T) {
	s, _ := start(t, smart.Config{})
	file := servertest.Field{Name: "file", Filename: "f", Value: strings.Repeat("x", 5<<20)}
	for _, path := range []string{"/server/info", "/host/list", "/file/ls", "/layout/status"} {
		if _, body := s.PostForm(t, path, file); strings.TrimSpace(body) != `{"code":400,"msg":"bad param: the form is too large"}` {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// A command, its output that comes after its end, and every error that the documents list.
func TestCommands(t *testing.T) {
	s, h := start(t, smart.Config{})
	want(t, ask(t, s, "/cmd/sync_run", "id", "a", "cmd", "echo", "args", "a%2c%b,c"), `{"code":0,"payload":{"code":0,"data":"ZWNob2EsYnxjIA=="}}`)
	_, body := s.Get(t, http.MethodPost, "/cmd/sync_run?id=a&cmd=echo&args=x%2c%y,100%")
	want(t, strings.TrimSpace(body), `{"code":0,"payload":{"code":0,"data":"ZWNob3gseXwxMDAlIA=="}}`)
	want(t, ask(t, s, "/cmd/sync_run", "id", "a", "cmd", "false"), `{"code":0,"payload":{"code":3,"data":""}}`)
	want(t, ask(t, s, "/cmd/sync_run", "id", "x", "cmd", "true"), `{"code":404,"msg":"client not found"}`)
	want(t, ask(t, s, "/cmd/sync_run", "id", "a", "cmd", "true", "timeout", "61"), `{"code":400,"msg":"bad param: timeout:61 is not within 1 and 60"}`)
	want(t, ask(t, s, "/cmd/sync_run", "id", "m", "cmd", "true"), `{"code":500,"msg":"invalid agent type want [exec-agent] got [metrics-agent]"}`)
	want(t, ask(t, s, "/cmd/ps", "id", "x"), `{"code":404,"msg":"client not found"}`)
	want(t, ask(t, s, "/cmd/status", "id", "x", "pid", "1"), `{"code":404,"msg":"client not found"}`)
	want(t, ask(t, s, "/cmd/status", "id", "a", "pid", "1"), `{"code":404,"msg":"process not found"}`)
	want(t, ask(t, s, "/cmd/kill", "id", "a", "pid", "1"), `{"code":404,"msg":"process not found"}`)
	want(t, ask(t, s, "/cmd/kill", "id", "a", "pid", "z"), `{"code":400,"msg":"bad param: pid"}`)

	goOn := make(chan struct{})
	h.Run = func(wire.ExecPayload) (string, int64) { <-goOn; return "late", 7 }
	run := servertest.Payload[struct {
		Channel string `json:"channel_id"`
		PID     int
	}](t, ask(t, s, "/cmd/run", "id", "b", "cmd", "sleep"))
	ps := ask(t, s, "/cmd/ps", "id", "b")
	if !strings.HasPrefix(ps, `{"code":0,"payload":[{"id":104,"channel":"`+run.Channel+`","name":"sleep","start_time":1795154119,"up_time":`) {
		t.Errorf("ps: %s", ps)
	}
	want(t, ask(t, s, "/cmd/status", "id", "b", "pid", "104"), `{"code":0,"payload":{"id":104,"channel":"`+run.Channel+`","created":1795154119,"running":true,"code":0}}`)
	want(t, ask(t, s, "/cmd/kill", "id", "b", "pid", "104"), `{"code":0}`)
	close(goOn)
	resp, body := s.Get(t, http.MethodGet, "/cmd/pty?id=b&pid=104&follow=1")
	if resp.StatusCode != 200 || body != "late" {
		t.Errorf("pty: %d %q", resp.StatusCode, body)
	}
	want(t, ask(t, s, "/cmd/status", "id", "b", "pid", "104"), `{"code":0,"payload":{"id":104,"channel":"`+run.Channel+`","created":1795154119,"running":false,"code":7}}`)
	for query, text := range map[string]string{"id=b&pid=9": "process not found", "id=x&pid=9": "client not found"} {
		if resp, body := s.Get(t, http.MethodGet, "/cmd/pty?"+query); resp.StatusCode != 404 || body != text {
			t.Errorf("pty %s: %d %q", query, resp.StatusCode, body)
		}
	}
}

// A command that could not be started is told of in the agent's words.
func TestCommandRefused(t *testing.T) {
	s, _ := start(t, smart.Config{})
	s.Connect(t, "r", exec.AgentType, nil, func(a servertest.Ask) {
		servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{Msg: "no such folder"})
	})
	want(t, ask(t, s, "/cmd/run", "id", "r", "cmd", "x"), `{"code":1,"msg":"no such folder"}`)
}

// What the documents of the dialect do not list has their code for all the rest, and never a status of the other dialect.
func TestOtherErrors(t *testing.T) {
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
		}
	}))
	defer source.Close()
	s, _ := start(t, smart.Config{Sources: []string{"127.0.0.1"}})
	file := servertest.Field{Name: "file", Filename: "n", Value: "x"}
	call := func(path, id string) string {
		path += "&id=" + id
		if strings.HasPrefix(path, "/file/upload?") {
			_, body := s.PostForm(t, path, file)
			return strings.TrimSpace(body)
		}
		resp, body := s.Get(t, http.MethodGet, path)
		if resp.StatusCode != http.StatusOK {
			body = resp.Status[:3] + " " + body
		}
		return strings.TrimSpace(body)
	}
	calls := []string{
		"/cmd/run?cmd=x", "/cmd/sync_run?cmd=x", "/file/ls?dir=/", "/file/upload?dir=/x", "/file/download?dir=/x",
		"/file/upload_from?dir=/x&name=n&uri=" + url.QueryEscape(source.URL),
	}
	for i, path := range calls {
		prefix, suffix := `{"code":500,"msg":"`, `"}`
		if strings.HasPrefix(path, "/file/download") {
			prefix, suffix = "503 ", ""
		}
		want(t, call(path, "m"), prefix+"invalid agent type want [exec-agent] got [metrics-agent]"+suffix)
		if strings.HasPrefix(path, "/cmd") {
			continue // a command outlives a connection: its agent may come back
		}
		asked := make(chan *servertest.Agent, 1)
		id := "gone-" + string(rune('a'+i))
		s.Connect(t, id, exec.AgentType, nil, func(a servertest.Ask) { asked <- a.Agent })
		left := make(chan struct{})
		go func() {
			defer close(left)
			(<-asked).Leave()
		}()
		want(t, call(path, id), prefix+"agent is gone"+suffix)
		<-left
	}
	status := call("/file/upload_from?dir=/x&name=n&uri="+url.QueryEscape(source.URL+"/none"), "a")
	if !strings.HasPrefix(status, `{"code":500,`) || !strings.Contains(status, "status 404") {
		t.Errorf("a source without the file: %s", status)
	}
}

// A host that refuses says so in its own words, whatever the reason: a command or an upload has failed.
func TestRefusedByPolicy(t *testing.T) {
	s, _ := start(t, smart.Config{})
	s.Connect(t, "p", exec.AgentType, nil, func(a servertest.Ask) {
		switch a.Type {
		case wire.Exec.Type():
			servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{Msg: "the policy says no", Why: wire.WhyPolicy})
		case wire.Upload.Request.Type():
			servertest.Send(t, a.Agent, wire.Upload.Reply, a.Task, wire.UploadReply{Msg: "the policy says no", Why: wire.WhyPolicy})
		}
	})
	for _, path := range []string{"/cmd/run?cmd=x", "/cmd/sync_run?cmd=x", "/file/upload?dir=/x"} {
		_, body := s.PostForm(t, path+"&id=p", servertest.Field{Name: "file", Filename: "n", Value: "x"})
		if strings.HasPrefix(path, "/cmd") {
			body = ask(t, s, path[:strings.IndexByte(path, '?')], "id", "p", "cmd", "x")
		}
		want(t, strings.TrimSpace(body), `{"code":1,"msg":"the policy says no"}`)
	}
}

// Callbacks go where the operator allows it, and nowhere else.
func TestCallback(t *testing.T) {
	called := make(chan string, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { called <- r.URL.String() }))
	defer web.Close()
	s, h := start(t, smart.Config{Callbacks: []string{"127.0.0.1"}})
	goOn := make(chan struct{})
	h.Run = func(wire.ExecPayload) (string, int64) { <-goOn; return "", 0 }
	body := ask(t, s, "/cmd/run", "id", "a", "cmd", "x", "callback", "http://169.254.169.254/latest")
	want(t, body, `{"code":400,"msg":"bad param: callback: host \"169.254.169.254\" is not allowed by the server's config"}`)
	ask(t, s, "/cmd/run", "id", "a", "cmd", "x", "callback", web.URL+"/done?job=5")
	close(goOn)
	if got := <-called; got != "/done?agent_id=a&job=5&pid=101" {
		t.Errorf("called %s", got)
	}
}

// Files, and every error that the documents list.
func TestFiles(t *testing.T) {
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(bytes.Repeat([]byte("x"), 3<<20)) }))
	defer source.Close()
	s, h := start(t, smart.Config{Sources: []string{"127.0.0.1"}})
	h.Put("/etc/motd", "hello")
	want(t, ask(t, s, "/file/ls", "id", "a", "dir", "/etc"),
		`{"code":0,"payload":{"dir":"/etc","files":[{"name":"motd","auth":420,"user":"root","group":"root","size":5,"mod_time":1795154119,"is_dir":false,"is_link":false}]}}`)
	want(t, ask(t, s, "/file/ls", "id", "a", "dir", "/nope"), `{"code":404,"msg":"directory not found"}`)
	want(t, ask(t, s, "/file/ls", "id", "x", "dir", "/"), `{"code":404,"msg":"client not found"}`)
	for query, answer := range map[string]string{
		"id=a&dir=/etc/motd": "200 hello", "id=a&dir=/nope": "404 file not found", "id=x&dir=/": "404 client not found",
		"id=a&dir=/&timeout=0": "400 bad param: timeout:0 is not within 1 and 86400",
	} {
		resp, body := s.Get(t, http.MethodGet, "/file/download?"+query)
		want(t, resp.Status[:3]+" "+body, answer)
	}
	file := servertest.Field{Name: "file", Filename: "n.txt", Value: "new"}
	_, body := s.PostForm(t, "/file/upload?id=a", servertest.Field{Name: "dir", Value: "/srv"}, servertest.Field{Name: "mod", Value: "448"}, file)
	want(t, strings.TrimSpace(body), `{"code":0,"payload":null}`)
	if got, _ := h.File("/srv/n.txt"); got != "new" || h.Calls()[len(h.Calls())-1] != "upload /srv/n.txt -rwx------" {
		t.Errorf("uploaded %q, %q", got, h.Calls())
	}
	for _, md5 := range []string{"00000000000000000000000000000000", "00"} {
		_, body = s.PostForm(t, "/file/upload?id=a", servertest.Field{Name: "dir", Value: "/srv"}, file, servertest.Field{Name: "md5", Value: md5})
		want(t, strings.TrimSpace(body), `{"code":2,"msg":"invalid checksum"}`)
	}
	_, body = s.PostForm(t, "/file/upload?id=x", servertest.Field{Name: "dir", Value: "/srv"}, file)
	want(t, strings.TrimSpace(body), `{"code":404,"msg":"client not found"}`)
	want(t, ask(t, s, "/file/upload_from", "id", "b", "dir", "/srv", "name", "big", "uri", source.URL), `{"code":0,"payload":{"dir":"/srv/big"}}`)
	if got, _ := h.File("/srv/big"); len(got) != 3<<20 {
		t.Errorf("%d bytes came", len(got))
	}
	want(t, ask(t, s, "/file/upload_from", "id", "b", "dir", "/srv", "name", "big", "uri", "http://localhost/"),
		`{"code":400,"msg":"bad param: uri: host \"localhost\" is not allowed by the server's config"}`)
	s.Connect(t, "r", exec.AgentType, nil, func(a servertest.Ask) {
		msg := "disk full"
		if servertest.Decode(t, a.Frame, wire.Upload.Request).Name == "sum" {
			msg = "invalid checksum"
		}
		servertest.Send(t, a.Agent, wire.Upload.Reply, a.Task, wire.UploadReply{Msg: msg})
	})
	want(t, ask(t, s, "/file/upload_from", "id", "r", "dir", "/srv", "name", "x", "uri", source.URL), `{"code":1,"msg":"disk full"}`)
	want(t, ask(t, s, "/file/upload_from", "id", "r", "dir", "/srv", "name", "sum", "uri", source.URL), `{"code":2,"msg":"invalid checksum"}`)
}

// An agent that says nothing: what is asked of it ends, and the answer says that it took too long.
func TestTimeout(t *testing.T) {
	f := files.New(files.Config{})
	c := exec.New(exec.Config{}, f)
	s := servertest.StartConfig(t, server.Config{
		API:      server.APIConfig{Timeout: 100 * time.Millisecond},
		Features: []server.Feature{f, c, smart.New(smart.Config{}, c, f, layout.New(layout.Config{}, c, f))},
	})
	s.Connect(t, "a", exec.AgentType, nil, func(servertest.Ask) {})
	for _, path := range []string{"/cmd/run?id=a&cmd=true", "/cmd/sync_run?id=a&cmd=true", "/file/ls?id=a&dir=/"} {
		resp, body := s.Get(t, http.MethodGet, path)
		want(t, resp.Status[:3]+" "+strings.TrimSpace(body), `200 {"code":408,"msg":"timeout"}`)
	}
	resp, body := s.Get(t, http.MethodGet, "/file/download?id=a&dir=/x&timeout=1")
	want(t, resp.Status[:3]+" "+body, "408 timeout")
	_, body = s.PostForm(t, "/file/upload?id=a&timeout=1&dir=/x", servertest.Field{Name: "file", Filename: "n", Value: "x"})
	want(t, strings.TrimSpace(body), `{"code":500,"msg":"timeout"}`)
}

// It is no other answer when the command's own time is over before that of the call.
func TestTimeoutOfCommand(t *testing.T) {
	f := files.New(files.Config{})
	c := exec.New(exec.Config{Grace: 50 * time.Millisecond}, f)
	s := servertest.Start(t, f, c, smart.New(smart.Config{}, c, f, layout.New(layout.Config{}, c, f)))
	s.Connect(t, "a", exec.AgentType, nil, func(servertest.Ask) {})
	for _, path := range []string{"/cmd/run", "/cmd/sync_run"} {
		want(t, ask(t, s, path, "id", "a", "cmd", "true", "timeout", "1"), `{"code":408,"msg":"timeout"}`)
	}
	resp, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"true","timeout":1}`)
	servertest.Want(t, resp, body, http.StatusGatewayTimeout, `{"code":504,"msg":"timeout"}`)
}

// archive makes a tar of names and contents.
func archive(t *testing.T, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		h := &tar.Header{Name: members[i], Mode: 0o644, Size: int64(len(members[i+1])), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type layoutState struct {
	Done          bool
	Finished      int64
	TotalCount    int `json:"total_count"`
	FinishedCount int `json:"finished_count"`
	Nodes         []struct {
		ID  string
		OK  bool
		Msg string
	}
}

// play runs a layout to its end.
func play(t *testing.T, s *servertest.Server, tar string, params ...string) (state layoutState, answer string) {
	t.Helper()
	id, answer := begin(t, s, tar, params...)
	if answer == "" {
		state = finish(t, s, id)
	}
	return state, answer
}

// begin starts a layout.
func begin(t *testing.T, s *servertest.Server, tar string, params ...string) (id, answer string) {
	t.Helper()
	fields := []servertest.Field{{Name: "file", Filename: "l.tar", Value: tar}}
	for i := 0; i < len(params); i += 2 {
		fields = append(fields, servertest.Field{Name: params[i], Value: params[i+1]})
	}
	_, answer = s.PostForm(t, "/layout/run", fields...)
	var envelope struct {
		Code    int
		Payload string
	}
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil {
		t.Fatal(err)
	}
	if envelope.Code != 0 {
		return "", strings.TrimSpace(answer)
	}
	if !strings.HasPrefix(envelope.Payload, "yaml-20") || len(envelope.Payload) != len("yaml-20261120-000001-01234567") {
		t.Errorf("id %q", envelope.Payload)
	}
	return envelope.Payload, ""
}

// finish waits for the end of a layout.
func finish(t *testing.T, s *servertest.Server, id string) (state layoutState) {
	t.Helper()
	for !state.Done {
		state = servertest.Payload[layoutState](t, ask(t, s, "/layout/status", "task_id", id))
	}
	return state
}

const twoTasks = `
name: two
timeout: 60
tasks:
- name: where
  plugin: exec
  cmd: hostname
  output: HOST
- name: only the first
  plugin: exec
  if: $IDX = 0
  cmd: first
- name: give
  plugin: file
  if: $HOST != other
  action: push
  src: data/a.txt
  dst: /srv/$ID.txt
- name: take
  plugin: file
  action: pull
  src: /srv/$ID.txt
  dst: DIR/got/$ID.txt
`

// A layout does its tasks on each node, with variables, conditions and files in both directions.
func TestLayout(t *testing.T) {
	dir := t.TempDir()
	s, h := start(t, smart.Config{Pull: []string{dir}})
	tar := archive(t, "./data/a.txt", "content", "main.yaml", strings.ReplaceAll(twoTasks, "DIR", dir))
	state, answer := play(t, s, tar, "ids", "a,b", "mode", "sequence")
	if answer != "" || state.TotalCount != 2 || state.FinishedCount != 2 || state.Finished == 0 {
		t.Fatalf("%+v %s", state, answer)
	}
	for _, n := range state.Nodes {
		if !n.OK {
			t.Errorf("%+v", n)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "got", n.ID+".txt")); string(got) != "content" {
			t.Errorf("pulled %q, %v", got, err)
		}
	}
	calls := strings.Join(h.Calls(), "\n")
	if want := "exec hostname []\nexec first []\nupload /srv/a.txt -rw-r--r--\nexec hostname []\nupload /srv/b.txt -rw-r--r--"; calls != want {
		t.Errorf("calls\n%s\nwant\n%s", calls, want)
	}
}

// A node that fails ends the rest, unless it is told otherwise.
func TestLayoutFails(t *testing.T) {
	s, _ := start(t, smart.Config{})
	tar := archive(t, "main.json", `{"tasks":[{"name":"bad","plugin":"exec","cmd":"false"}]}`)
	state, _ := play(t, s, tar, "ids", "a,b")
	if n := state.Nodes; n[0].OK || n[0].Msg != `task 1 ("bad"): exit code 3` || n[1].Msg != "skipped" || state.FinishedCount != 1 {
		t.Errorf("%+v", state)
	}
	state, _ = play(t, s, tar, "ids", "a,b", "continue", "true", "mode", "evenodd")
	if n := state.Nodes; n[0].OK || n[1].OK || state.FinishedCount != 2 {
		t.Errorf("%+v", state)
	}
}

// What cannot work is refused before anything is done.
func TestLayoutRefused(t *testing.T) {
	s, _ := start(t, smart.Config{})
	good := `{"tasks":[{"plugin":"exec","cmd":"true"}]}`
	for name, tt := range map[string]struct{ tar, ids, want string }{
		"nobody":      {archive(t, "main.json", good), "", `{"code":400,"msg":"bad param: ids: there are none"}`},
		"unknown":     {archive(t, "main.json", good), "a,nope", `{"code":404,"msg":"not found: agent: nope"}`},
		"twice":       {archive(t, "main.json", good), "a,a", `{"code":400,"msg":"bad param: ids: \"a\" is there twice"}`},
		"no tar":      {"x", "a", `{"code":1,"msg":"file: unexpected EOF"}`},
		"no main":     {archive(t, "other", good), "a", `{"code":1,"msg":"file: neither main.yaml nor main.json is in the tar"}`},
		"no tasks":    {archive(t, "main.yaml", "name: x"), "a", `{"code":1,"msg":"main.yaml: tasks: there are none"}`},
		"unknown key": {archive(t, "main.yaml", "nam: x"), "a", `{"code":1,"msg":"main.yaml: yaml: unmarshal errors:\n  line 1: field nam not found in type smart.script"}`},
		"many": {archive(t, "main.yaml", "tasks: [{plugin: exec, if: $X = 1, auth: root}, {plugin: file, action: push, src: a, dst: b}, {plugin: x}]"), "a",
			`{"code":1,"msg":"main.yaml: task 1 (\"\"): auth: \"root\" is neither sudo nor su\n` +
				`task 1 (\"\"): if: $X is no variable that is set here\ntask 1 (\"\"): cmd: it is missing\n` +
				`task 2 (\"\"): \"b\" is no absolute path on the agent\ntask 3 (\"\"): plugin: \"x\" is neither exec nor file"}`},
		"outside": {archive(t, "main.yaml", "tasks: [{plugin: file, action: push, src: ../../etc/passwd, dst: /x}]"), "a",
			`{"code":1,"msg":"task 1 (\"\"): src: \"../../etc/passwd\" is not in the tar"}`},
	} {
		_, got := play(t, s, tt.tar, "ids", tt.ids)
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", name, got, tt.want)
		}
	}
	// Files of the server's own are not given out, nor written.
	for _, task := range []string{"action: push, src: /etc/passwd, dst: /x", "action: pull, src: /x, dst: /etc/passwd"} {
		state, answer := play(t, s, archive(t, "main.yaml", "tasks: [{plugin: file, "+task+"}]"), "ids", "a")
		if answer != "" || state.Nodes[0].OK || !strings.Contains(state.Nodes[0].Msg, "in none of the folders") {
			t.Errorf("%s: %s %+v", task, answer, state)
		}
	}
	want(t, ask(t, s, "/layout/status", "task_id", "nope"), `{"code":404,"msg":"task not found"}`)
}

// What a script makes of little (aliases, variables within paths, the output of many commands) does not fill the server's memory.
func TestLayoutIsBounded(t *testing.T) {
	s, h := start(t, smart.Config{})
	h.Run = func(wire.ExecPayload) (string, int64) { return strings.Repeat("x", 64<<10), 0 }
	for name, tt := range map[string]struct{ script, want string }{
		"tasks": {"tasks: [" + strings.Repeat("{},", 1000) + "{}]", "1001 are more than 1000"},
		"name":  {"tasks: [{name: " + strings.Repeat("n", 2000) + ", plugin: exec, cmd: a}]", "name: it has 2000 bytes"},
		"path":  {"tasks: [{plugin: file, action: push, src: /a, dst: /" + strings.Repeat("d", 40000) + "}]", "a path of 40001 bytes"},
		"wrong": {"tasks: [{name: &x " + strings.Repeat("n", 500_000) + "}, " + strings.Repeat("{name: *x, plugin: *x},", 999) + "]", "task 1 ("},
		"expanded": {
			"tasks: [{plugin: exec, cmd: a, output: O}, {plugin: file, action: push, src: /a, dst: /" + strings.Repeat("$O", 10000) + "}]",
			"task 2 (\\\"\\\"): with $O, a path has more than 32768 bytes",
		},
		"outputs": {"tasks: [" + strings.Repeat("{plugin: exec, cmd: a, output: O},", 20) + "]", "task 17 (\\\"\\\"): output: all together are more than 1048576 bytes"},
	} {
		state, answer := play(t, s, archive(t, "main.yaml", tt.script), "ids", "a")
		if len(state.Nodes) > 0 {
			answer += strings.ReplaceAll(state.Nodes[0].Msg, `"`, `\"`)
		}
		if !strings.Contains(answer, tt.want) || answer == "" || len(answer) > 64<<10 {
			t.Errorf("%s: %d bytes, %.300s, want %s", name, len(answer), answer, tt.want)
		}
	}
}
