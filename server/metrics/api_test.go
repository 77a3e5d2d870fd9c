package metrics_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/server/metrics"
	"github.com/jkstack/jkframe/v2/wire"
)

func features() []server.Feature { return []server.Feature{metrics.New(metrics.Config{})} }

// frames returns the frames of a recording: what a server of the field sent, and what the agent did.
func frames(t *testing.T, file string) (request, reply json.RawMessage) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			Dir   string          `json:"dir"`
			Frame json.RawMessage `json:"frame"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if r.Dir == "s2a" {
			request = r.Frame
		} else {
			reply = r.Frame
		}
	}
	return request, reply
}

// recorded answers requests as an agent of the field did: with the frame that it sent, as the reply to the task.
func recorded(t *testing.T, reply json.RawMessage, asked chan<- *wire.Frame) func(servertest.Ask) {
	return func(a servertest.Ask) {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(reply, &all); err != nil {
			t.Error(err)
			return
		}
		all["tid"], _ = json.Marshal(a.Task)
		b, err := json.Marshal(all)
		if err != nil {
			t.Error(err)
			return
		}
		a.SendRaw(string(b))
		asked <- a.Clone()
	}
}

// An agent of the field is asked as its own server asked it, and what it answers comes out as there, to the last member.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) < 8 {
		t.Fatalf("recordings: %q, %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			request, reply := frames(t, file)
			method, path, body, status, want := recording(t, name)
			f := start(t, server.Config{Features: features()})
			asked := make(chan *wire.Frame, 1)
			f.connect(t, "metrics-01", "metrics-agent", "linux", recorded(t, reply, asked))
			code, got := f.do(t, method, path, body)
			if code != status {
				t.Fatalf("%s %s: %d %s", method, path, code, got)
			}
			if a, b := withoutTask(t, (<-asked).Bytes()), withoutTask(t, request); !reflect.DeepEqual(a, b) && name != "metrics-dynamic-top2-udp" {
				t.Errorf("asked %v, recorded %v", a, b)
			}
			if want == nil {
				return // the recording was cut off
			}
			var answer struct {
				Payload any `json:"payload"`
			}
			if err := json.Unmarshal([]byte(got), &answer); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(withoutNull(answer.Payload), withoutNull(want)) {
				t.Errorf("%s %s\n got %v\nwant %v", method, path, answer.Payload, want)
			}
		})
	}
}

// recording reads a request to a server of the field and its answer.
func recording(t *testing.T, name string) (method, path, body string, status int, payload any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Request struct {
			Method, Path, Body string
			JSON               json.RawMessage
		}
		Response struct{ Body string }
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Code    int
		Payload any
	}
	if json.Unmarshal([]byte(r.Response.Body), &answer) != nil {
		answer.Code = http.StatusOK
	}
	if r.Request.JSON != nil {
		r.Request.Body = string(r.Request.JSON)
	}
	return r.Request.Method, r.Request.Path, r.Request.Body, answer.Code, answer.Payload
}

func withoutTask(t *testing.T, frame []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(frame, &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "tid")
	return all
}

// withoutNull makes lists of null, which the field has for empty ones.
func withoutNull(v any) any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case map[string]any:
		for k, m := range v {
			v[k] = withoutNull(m)
		}
	case []any:
		for i, m := range v {
			v[i] = withoutNull(m)
		}
	}
	return v
}

// Every error that a server of the field gave is given, as the status of HTTP too.
func TestRecordedErrors(t *testing.T) {
	f := start(t, server.Config{Features: features()})
	f.connect(t, "metrics-01", "metrics-agent", "linux", silent)
	f.connect(t, "exec-01", "exec-agent", "linux", silent)
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		method, path, body, status, _ := recording(t, name)
		if status == http.StatusOK {
			continue
		}
		count++
		code, got := f.do(t, method, path, body)
		if code != status || !strings.HasPrefix(got, fmt.Sprintf(`{"code":%d,"msg":"`, status)) {
			t.Errorf("%s: %s %s gives %d %s, want %d", name, method, path, code, got, status)
		}
	}
	if count < 15 {
		t.Errorf("only %d errors found", count)
	}
}

// Agents are told what to collect: one, or all of a system; one that is of another type is not.
func TestChange(t *testing.T) {
	f := start(t, server.Config{Features: features()})
	var mu sync.Mutex
	told := make(map[string][]string)
	more := make(chan struct{}, 10)
	note := func(id string) func(servertest.Ask) {
		return func(a servertest.Ask) {
			q := servertest.Decode(t, a.Frame, wire.ChangeCollect)
			mu.Lock()
			told[id] = append(told[id], strings.Join(q.Jobs, ","))
			mu.Unlock()
			more <- struct{}{}
		}
	}
	f.connect(t, "l1", "metrics-agent", "linux", note("l1"))
	f.connect(t, "l2", "metrics-agent", "linux", note("l2"))
	f.connect(t, "w1", "metrics-agent", "windows", note("w1"))
	f.connect(t, "x1", "exec-agent", "linux", note("x1"))
	put := func(path, body, want string, tells int) {
		t.Helper()
		if code, got := f.do(t, http.MethodPut, path, body); code != 200 || got != want {
			t.Errorf("PUT %s %s: %d %s", path, body, code, got)
		}
		for range tells {
			<-more
		}
	}
	put("/api/metrics/l1/status", `{"jobs":["static","usage"]}`, `{"code":0}`, 1)
	put("/api/metrics/l1/status", `{}`, `{"code":0}`, 1)
	put("/api/metrics/status", `{"start":true}`, `{"code":0,"payload":{"total":3,"success":3,"failure":0}}`, 3)
	put("/api/metrics/status", `{"start":false,"os":"windows"}`, `{"code":0,"payload":{"total":1,"success":1,"failure":0}}`, 1)
	put("/api/metrics/status", `{"start":true,"os":"plan9"}`, `{"code":0,"payload":{"total":0,"success":0,"failure":0}}`, 0)
	const all = "static,usage,process,conns,temps"
	want := map[string][]string{"l1": {"static,usage", "", all}, "l2": {all}, "w1": {all, ""}}
	mu.Lock()
	defer mu.Unlock()
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// The older dialect has the same facts under its own names, and its errors.
func TestSmart(t *testing.T) {
	f := start(t, server.Config{Features: features(), API: server.APIConfig{Timeout: 100 * time.Millisecond}})
	_, reply := frames(t, "testdata/metrics-static.jsonl")
	f.connect(t, "metrics-01", "metrics-agent", "linux", recorded(t, reply, make(chan *wire.Frame, 10)))
	f.connect(t, "mute-01", "metrics-agent", "linux", silent)
	f.connect(t, "sick-01", "metrics-agent", "linux", recorded(t, json.RawMessage(`{"type":0,"errmsg":"no"}`), make(chan *wire.Frame, 1)))
	f.connect(t, "other-01", "exec-agent", "linux", silent)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		code, got := f.do(t, method, "/hm/static?id=metrics-01", "")
		mustContain(t, got, `{"code":0,"payload":{"timestamp":1795154171,"host_name":"host-01","uptime":3585,"os_name":"linux","platform":"debian",`,
			`"kernel_arch":"x86_64"`, `"physical_core":2,"logical_core":2,"cores":[{"processor":0,"model":"AMD EPYC","core":0,"cores":1,"physical":0}`,
			`"physical_memory":25276502016,"swap_memory":0,"disks":[{"name":"/","type":"ext4","options":["rw","relatime"],"total":270553174016,"inodes":16777216}`,
			`"intfs":[{"index":1,"name":"lo","mtu":65536,"flags":["up","loopback","running"],"mac":"","addrs":["127.0.0.1/8","::1/128"]}`)
		if code != 200 {
			t.Errorf("%s: %d", method, code)
		}
	}
	for id, want := range map[string]string{
		"nobody":  `{"code":404,"msg":"client not found"}`,
		"":        `{"code":404,"msg":"client not found"}`,
		"mute-01": `{"code":408,"msg":"timeout"}`,
		// What the documents do not list:
		"sick-01":  `{"code":500,"msg":"no"}`,
		"other-01": `{"code":500,"msg":"invalid agent type want [metrics-agent] got [exec-agent]"}`,
	} {
		if code, got := f.do(t, http.MethodGet, "/hm/static?id="+id, ""); code != 200 || got != want {
			t.Errorf("%q: %d %s", id, code, got)
		}
	}
}

// The older dialect takes the agent from a form too, which has its bounds: it fills neither memory nor the disk.
func TestSmartForm(t *testing.T) {
	f := start(t, server.Config{Features: features()})
	_, reply := frames(t, "testdata/metrics-static.jsonl")
	f.connect(t, "metrics-01", "metrics-agent", "linux", recorded(t, reply, make(chan *wire.Frame, 10)))
	post := func(file bool) (kind string, body *bytes.Buffer) {
		body = new(bytes.Buffer)
		m := multipart.NewWriter(body)
		if err := m.WriteField("id", "metrics-01"); err != nil {
			t.Fatal(err)
		}
		if file {
			w, err := m.CreateFormFile("file", "large")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return m.FormDataContentType(), body
	}
	kind, body := post(false)
	fileKind, fileBody := post(true)
	for _, c := range []struct {
		name, query, kind string
		body              io.Reader
		ok                bool
	}{
		{"a form", "", "application/x-www-form-urlencoded", strings.NewReader("id=metrics-01"), true},
		{"several parts", "", kind, body, true},
		{"a file that nobody wants", "", fileKind, fileBody, true},
		{"no form", "?id=metrics-01", "application/json", strings.NewReader("{}"), true},
		{"a form without end", "", "application/x-www-form-urlencoded", strings.NewReader("id=metrics-01&x=" + strings.Repeat("x", 5<<20)), false},
	} {
		resp, got := f.Do(t, f.Request(t, http.MethodPost, "/hm/static"+c.query, c.kind, c.body))
		if ok := strings.HasPrefix(got, `{"code":0,`); resp.StatusCode != http.StatusOK || ok != c.ok {
			t.Errorf("%s: %d %.100s", c.name, resp.StatusCode, got)
		}
	}
}

// What is no answer is an error that says so, and never ends the server.
func TestBadAnswers(t *testing.T) {
	f := start(t, server.Config{Features: features()})
	for id, reply := range map[string]string{
		"error":    `{"type":0,"errmsg":"\u001b[31mno\n"}`,
		"empty":    `{"type":33,"hm_dynamic_rep":{}}`,
		"none":     `{"type":33}`,
		"nan":      `{"type":33,"hm_dynamic_rep":{"usage":{"cpu":{"usage":1e999}}}}`,
		"other":    `{"type":31,"hm_static":{}}`,
		"negative": `{"type":33,"hm_dynamic_rep":{"usage":{"mem":{"used":-1}}}}`,
		"wide":     `{"type":33,"hm_dynamic_rep":{"usage":{"mem":{"used":18446744073709551616}}}}`,
	} {
		f.connect(t, id, "metrics-agent", "linux", recorded(t, json.RawMessage(reply), make(chan *wire.Frame, 1)))
		code, got := f.do(t, http.MethodGet, "/api/metrics/"+id+"/dynamic/usage", "")
		if code < 500 || !strings.HasPrefix(got, fmt.Sprintf(`{"code":%d,"msg":"`, code)) || strings.ContainsAny(got, "\x1b\n") {
			t.Errorf("%s: %d %q", id, code, got)
		}
	}
}

// A host with a hundred thousand processes is answered with all of them.
func TestManyProcesses(t *testing.T) {
	f := start(t, server.Config{Features: features()})
	f.connect(t, "busy-01", "metrics-agent", "linux", func(a servertest.Ask) {
		servertest.Send(t, a.Agent, wire.HostDynamic.Reply, a.Task, wire.HostDynamicReply{Processes: processes(100_000)})
	})
	code, got := f.do(t, http.MethodGet, "/api/metrics/busy-01/dynamic/process", "")
	if n := strings.Count(got, `"pid":1,"user":"root"`); code != 200 || n != 100_000 {
		t.Errorf("%d: %d processes, %.200s", code, n, got)
	}
}

func processes(n int) (list []wire.HostProcess) {
	for i := range n {
		list = append(list, wire.HostProcess{ID: int32(i + 1), Parent: 1, User: "root", RSS: 1 << 20, VMS: 1 << 30, Memory: 0.5, Cmd: []string{"sleep", "1\n\x1b"}})
	}
	return list
}
