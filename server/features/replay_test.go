package features_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/server/features"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// recorded is a request to a server of the field, and its answer.
type recorded struct {
	Name    string
	Request struct {
		Method, Path string
		JSON         json.RawMessage
		Body         string
		Headers      map[string]string
		Form         []struct {
			Name, Value, Filename string
			Len                   int    `json:"file_len"`
			SHA256                string `json:"file_sha256"`
			Content               *string
		}
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
		Base64  []byte `json:"body_b64"`    // one that is binary
		SHA256  string `json:"body_sha256"` // of one that is binary or long
		Cut     bool   // body is the beginning of it
	}
}

func readRecorded(t *testing.T, name string) *recorded {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "http", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	r := &recorded{}
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// frames are what agents of the field answered, by the type of what they were asked, in order.
type frames struct {
	mu    sync.Mutex // guards the field below
	asked []asked
}

type asked struct {
	kind    wire.Type
	task    string
	cmd     string   // of a command
	answers []string // with the task's id
}

// without are the recordings of a connection that compressed nothing. Their frames were not kept, but those of the same requests.
var without = map[string]string{
	"nodeflate-exec-run-ok":            "nodeflate-exec-run-ok",
	"nodeflate-file-download-mixed64k": "exec-file-download-mixed64k",
	"nodeflate-file-ls-ok":             "exec-tz-shanghai-ls",
}

// readRecording reads the frames of a request: those of its agent's type, if no other name is known.
func readRecording(name string) []byte {
	names := []string{name, "exec-" + name, "example-" + name, "metrics-" + name}
	if same, ok := without[name]; ok {
		names = []string{same}
	}
	for _, name := range names {
		for _, dir := range []string{"testdata/wire", "../../wire/testdata/recorded"} {
			if b, err := os.ReadFile(filepath.Join(filepath.FromSlash(dir), name+".jsonl")); err == nil {
				return b
			}
		}
	}
	return nil // the agent was not asked
}

func readFrames(t *testing.T, name string) *frames {
	t.Helper()
	fs := &frames{}
	b := readRecording(name)
	for line := range strings.Lines(string(b)) {
		var entry struct {
			Dir   string
			Frame json.RawMessage
			Head  string // of a frame that is too long to be kept
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if m := beginning.FindStringSubmatch(entry.Head); m != nil {
			entry.Frame = json.RawMessage("{" + m[0] + "}")
		}
		f, err := wire.Parse(entry.Frame)
		if err != nil {
			t.Fatal(err)
		}
		if entry.Dir == "s2a" {
			fs.asked = append(fs.asked, asked{kind: f.Type, task: f.Task, cmd: commandOf(f)})
			continue
		}
		for i := range fs.asked {
			if fs.asked[i].task == f.Task {
				fs.asked[i].answers = append(fs.asked[i].answers, string(entry.Frame))
			}
		}
	}
	return fs
}

// beginning is what is wanted of a frame that was not kept.
var beginning = regexp.MustCompile(`"type":\d+,"tid":"[^"]+"`)

// commandOf is what a frame asks to run, "" for one that asks something else.
func commandOf(f *wire.Frame) string {
	q, err := wire.Exec.Decode(f)
	if err != nil {
		return ""
	}
	return q.Cmd
}

// next returns what was answered to the same request, once.
func (fs *frames) next(f *wire.Frame) *asked {
	cmd := ""
	if f.Type == wire.Exec.Type() {
		cmd = commandOf(f)
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i := range fs.asked {
		if a := fs.asked[i]; a.kind == f.Type && a.cmd == cmd {
			fs.asked = append(fs.asked[:i:i], fs.asked[i+1:]...)
			return &a
		}
	}
	return nil
}

// answer answers as was recorded.
func (fs *frames) answer(t *testing.T, s *servertest.Server) func(servertest.Ask) {
	return func(a servertest.Ask) {
		was := fs.next(a.Frame)
		if was == nil {
			return
		}
		if a.Type == wire.Upload.Request.Type() {
			fetch(t, s, servertest.Decode(t, a.Frame, wire.Upload.Request))
		}
		for _, f := range was.answers {
			a.SendRaw(strings.ReplaceAll(f, was.task, a.Task))
		}
	}
}

// fetch gets the content of an upload as an agent of the field does, if it is not in the request.
func fetch(t *testing.T, s *servertest.Server, q wire.UploadRequest) []byte {
	if q.URI == "" {
		return nil
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+s.AgentAddr().String()+q.URI, nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	for _, token := range []string{"wrong", q.Token} {
		req.Header.Set("X-Token", token)
		resp, err := s.Client.Do(req)
		if err != nil {
			t.Error(err)
			return nil
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if token == "wrong" {
			if err != nil || resp.StatusCode != 403 || strings.TrimSpace(string(b)) != "access denied" {
				t.Errorf("fetch with a wrong token: %d %q, %v", resp.StatusCode, b, err)
			}
			continue
		}
		if err != nil || resp.StatusCode != 200 || uint64(len(b)) != q.Size || resp.ContentLength != int64(q.Size) {
			t.Errorf("fetch: %d, %d bytes of %d, %v", resp.StatusCode, len(b), q.Size, err)
		}
		return b
	}
	return nil
}

// request makes the recorded request.
func (r *recorded) request(t *testing.T, s *servertest.Server) *http.Request {
	t.Helper()
	q := &r.Request
	switch {
	case len(q.JSON) > 0:
		return s.Request(t, q.Method, q.Path, "application/json", bytes.NewReader(q.JSON))
	case len(q.Form) > 0:
		return s.Form(t, q.Method, q.Path, r.fields(t)...)
	case q.Body != "":
		return s.Request(t, q.Method, q.Path, q.Headers["Content-Type"], strings.NewReader(q.Body))
	}
	return s.Request(t, q.Method, q.Path, q.Headers["Content-Type"], nil)
}

// fields are those of the form. Of long files only length and checksum were kept, and they are lines that are known.
func (r *recorded) fields(t *testing.T) []servertest.Field {
	t.Helper()
	var all []servertest.Field
	for _, f := range r.Request.Form {
		field := servertest.Field{Name: f.Name, Value: f.Value, Filename: f.Filename}
		switch {
		case f.Content != nil:
			field.Value = *f.Content
		case f.Filename != "":
			field.Value = lines(f.Len)
			if sum := sha256.Sum256([]byte(field.Value)); hex.EncodeToString(sum[:]) != f.SHA256 {
				t.Logf("%s: another content than the recorded one", r.Name)
			}
		}
		all = append(all, field)
	}
	return all
}

// lines is a text of n bytes.
func lines(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %07d the quick brown fox jumps over the lazy dog\n", i)
	}
	return b.String()[:n]
}

// differ are the answers that ours gives otherwise, and why: the status that it gives.
var differ = map[string]int{
	"agents-logdl-multiblock": 500, // the agent of the field sends its first piece again and again, which is no file
	"route-trailing-slash":    404, // it was a redirect to the route without the slash, and only for GET
	"file-download-empty":     200, // the server of the field waited for ever
	"file-upload-3mib":        400, // its md5 is that of another content than ours
	"file-upload-md5-ok":      200,
	"exec-run-badjson":        400,
	"route-wrong-method":      405, // there is such a route
}

// stories are recordings that only mean something together, or with time or other frames than the recorded ones, which tests of their
// own replay. Elsewhere are the recordings of hosts (package metrics), upgrades and agents' own metrics (package server). Those are not
// replayed at all: what the server of the field measured of itself, and connections of which pings alone were kept.
var stories = []string{
	"exec-async", "exec-kill-", "exec-kill.", "exec-killsh", "exec-ps-alldone", "exec-jam", "exec-run-200k", "exec-run-concurrent-",
	"fake-", "gone-", "fatal-", "foo-after", "foo-timeout", "layout-fatal", "layout-run", "layout-groups", "layout-parallel",
	"agents-logdl-ok", "agents-logdl-two", "file-download-1mib-bin", "raw-",
}

func isStory(file string) bool {
	return slices.ContainsFunc(stories, func(prefix string) bool { return strings.HasPrefix(filepath.Base(file), prefix) }) &&
		!slices.Contains([]string{"exec-kill-badpid.json", "exec-kill-unknown-agent.json", "exec-kill-unknownpid.json", "exec-kill-wrongtype.json"}, filepath.Base(file))
}

// races are the values that depend on who was faster when they were recorded, the server or the agent: here it is the agent.
var races = []string{"exec-run-timeout0", "script-timeout"}

// Every request that was recorded has an answer of the recorded shape: the same code, as the HTTP status too, the same members.
func TestRecordedAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/http/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d recorded answers, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if isStory(file) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := readRecorded(t, name)
			s := servertest.Start(t, features.All()...)
			fs := readFrames(t, name)
			d := conn.Dialer{}
			_, d.NoCompression = without[name]
			everybody := slices.ContainsFunc([]string{"agents-", "info-", "jam-", "layout-"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
			for _, id := range []string{"example-01", "exec-01", "exec-02", "metrics-01"} {
				if strings.HasSuffix(name, "-empty") && everybody || !everybody && !strings.Contains(r.Request.Path, id) {
					continue
				}
				kind, _, _ := strings.Cut(id, "-")
				s.ConnectWith(t, d, wire.ComePayload{ID: id, Name: kind + "-agent", OS: "linux"}, fs.answer(t, s))
			}
			resp, body := s.Do(t, r.request(t, s))
			compare(t, r, resp, body)
		})
	}
}

// envelope is the beginning of every answer.
type envelope struct {
	Code    int
	Msg     *string
	Payload any
}

// compareWith is compare for an answer that was not read yet.
func compareWith(t *testing.T, r *recorded, resp *http.Response) {
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
		return
	}
	compare(t, r, resp, string(b))
}

// compareHeaders wants those of a file.
func compareHeaders(t *testing.T, r *recorded, resp *http.Response) {
	t.Helper()
	for _, name := range []string{"Content-Type", "Content-Length", "Accept-Ranges"} {
		if got, want := resp.Header.Get(name), r.Response.Headers[name]; got != want {
			t.Errorf("%s: %q, recorded %q", name, got, want)
		}
	}
}

func compare(t *testing.T, r *recorded, resp *http.Response, body string) {
	t.Helper()
	var want, got envelope
	isJSON := json.Unmarshal([]byte(r.Response.Body), &want) == nil && want.Code != 0
	status := r.Response.Status
	if isJSON {
		status = want.Code
	}
	if s, ok := differ[r.Name]; ok {
		status = s
	}
	if resp.StatusCode != status {
		t.Fatalf("status %d %.300s, recorded %d %.300s", resp.StatusCode, body, status, r.Response.Body)
	}
	if !isJSON && status == 200 {
		if strings.Contains(r.Request.Path, "/download?") && r.Name != "file-download-empty" {
			compareHeaders(t, r, resp)
		}
		if sum := sha256.Sum256([]byte(body)); r.Response.Body == "" && r.Response.SHA256 != "" && hex.EncodeToString(sum[:]) != r.Response.SHA256 {
			t.Errorf("body of %d bytes is another one than the recorded", len(body))
		}
		if r.Response.Cut {
			body = body[:min(len(body), len(r.Response.Body))]
		}
		if r.Response.Body != "" && body != r.Response.Body {
			t.Errorf("body %.300q, recorded %.300q", body, r.Response.Body)
		}
		return
	}
	if status == 200 && r.Name == "file-download-empty" {
		return
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%.300s: %v", body, err)
	}
	if status == 200 {
		if got.Code != 0 {
			t.Errorf("code %d", got.Code)
		}
		sameShape(t, "payload", want.Payload, got.Payload)
		return
	}
	if got.Code != status || got.Msg == nil || *got.Msg == "" {
		t.Errorf("answer %s", body)
	}
	if isJSON && status != 400 && status == want.Code && *got.Msg != *want.Msg {
		t.Errorf("msg %q, recorded %q", *got.Msg, *want.Msg)
	}
}

// sameShape wants every member that was recorded, with a value of its kind; what differs from run to run is not compared.
func sameShape(t *testing.T, path string, want, got any) {
	t.Helper()
	if list, ok := got.([]any); ok && want == nil && len(list) == 0 {
		return // written as null there
	}
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		t.Errorf("%s is %v, recorded %v", path, got, want)
		return
	}
	switch want := want.(type) {
	case map[string]any:
		for name, v := range want {
			g, ok := got.(map[string]any)[name]
			if !ok {
				t.Errorf("%s lacks %s", path, name)
				continue
			}
			sameShape(t, path+"."+name, v, g)
		}
	case []any:
		if len(want) != len(got.([]any)) {
			t.Errorf("%s has %d members, recorded %d", path, len(got.([]any)), len(want))
			return
		}
		for i := range want {
			sameShape(t, fmt.Sprintf("%s[%d]", path, i), want[i], got.([]any)[i])
		}
	default:
		r := strings.TrimPrefix(t.Name(), "TestRecordedAnswers/")
		if strings.HasPrefix(r, "agents-") || strings.HasPrefix(r, "info-") || strings.HasPrefix(r, "jam-") {
			return // what agent and server say of themselves
		}
		own := slices.ContainsFunc([]string{".id", ".task_id", ".end"}, func(name string) bool { return strings.HasSuffix(path, name) })
		if !slices.Contains(races, r) && !own && want != got {
			t.Errorf("%s is %v, recorded %v", path, got, want)
		}
	}
}
