package server_test

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// recordedAnswers returns the frames that an agent of the field sent in a recording, with %s for their task.
func recordedAnswers(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "logs", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var frames []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var rec struct {
			Dir   string
			Frame json.RawMessage
		}
		if err := json.Unmarshal(s.Bytes(), &rec); err != nil {
			t.Fatal(err)
		}
		var env struct{ TID string }
		if rec.Dir != "a2s" || json.Unmarshal(rec.Frame, &env) != nil || env.TID == "" {
			continue
		}
		frames = append(frames, strings.ReplaceAll(string(rec.Frame), env.TID, "%s"))
	}
	if len(frames) == 0 {
		t.Fatalf("%s holds no answers", name)
	}
	return frames
}

// script has an agent answer every request with the same frames, in which %s is the task.
func script(t *testing.T, f *fixture, id string, frames ...string) {
	c := f.agent(t, id, "any-agent")
	done := make(chan struct{})
	t.Cleanup(func() { c.Close(conn.CodeNormal, ""); <-done })
	go func() {
		defer close(done)
		for {
			r, err := c.Receive()
			if err != nil {
				return
			}
			task := r.Task
			for _, frame := range frames {
				if c.Send(context.Background(), conn.Bulk, []byte(strings.ReplaceAll(frame, "%s", task))) != nil {
					return
				}
			}
		}
	}()
}

func TestLogList(t *testing.T) {
	f := start(t, server.Config{})
	script(t, f, "exec-01", recordedAnswers(t, "exec-agents-logs-exec-01.jsonl")...)
	script(t, f, "example-01", recordedAnswers(t, "example-agents-logs-example-01.jsonl")...)
	f.get(t, "/api/agents/exec-01/logs", http.StatusOK, `{"code":0,"payload":[{"name":"exec-agent.log","size":114,"mod_time":1795154112}]}`)
	f.get(t, "/api/agents/example-01/logs", http.StatusOK, `{"code":0,"payload":[]}`)
	f.get(t, "/api/agents/nope/logs", http.StatusNotFound, `{"code":404,"msg":"not found: agent"}`)
}

// info and data are frames of a download.
func info(size int, sum [md5.Size]byte) string {
	b, _ := json.Marshal(sum)
	return fmt.Sprintf(`{"type":10003,"tid":"%%s","log_dinfo":{"ok":true,"size":%d,"block_size":32000,"md5":%s}}`, size, b)
}

func data(offset int, b string) string {
	return fmt.Sprintf(`{"type":10004,"tid":"%%s","log_ddata":{"offset":%d,"data":"$0$%s"}}`, offset, base64.StdEncoding.EncodeToString([]byte(b)))
}

func TestLogDownload(t *testing.T) {
	f := start(t, server.Config{})
	half := strings.Repeat("x", 20000)
	whole := half + half
	sum := md5.Sum([]byte(whole))
	tests := []struct {
		id     string
		frames []string
		status int
		body   string // of an error
		bytes  int    // of a zip
	}{
		{"field-ok", recordedAnswers(t, "exec-agents-logdl-ok.jsonl"), 200, "", 274},
		{"field-two", recordedAnswers(t, "exec-agents-logdl-two.jsonl"), 200, "", 1101},
		{"field-missing", recordedAnswers(t, "exec-agents-logdl-missingfile.jsonl"), 503, `{"code":503,"msg":"open /opt/exec-agent/logs/nope.log: no such file or directory"}`, 0},
		// Agents of the field send every block with offset 0 and the first one's bytes: that is no file.
		{"field-many-blocks", recordedAnswers(t, "exec-agents-logdl-multiblock.jsonl"), 500, "does not follow", 0},
		{"blocks", []string{info(40000, sum), data(0, half), data(20000, half)}, 200, "", 40000},
		{"empty", []string{info(0, md5.Sum(nil))}, 200, "", 0},
		{"bad sum", []string{info(40000, md5.Sum(nil)), data(0, half), data(20000, half)}, 409, `{"code":409,"msg":"invalid checksum"}`, 0},
		{"too much", []string{info(100, sum), data(0, half)}, 500, "does not follow", 0},
		{"gap", []string{info(40000, sum), data(20000, half)}, 500, "does not follow", 0},
		{"nothing for ever", []string{info(40000, sum), data(0, ""), data(0, "")}, 500, "does not follow", 0},
		{"huge", []string{`{"type":10003,"tid":"%s","log_dinfo":{"ok":true,"size":18446744073709551615,"md5":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}}`}, 500, "larger than", 0},
		{"no info", []string{data(0, half)}, 500, "invalid message type: 10004", 0},
		{"no payload", []string{`{"type":10003,"tid":"%s"}`}, 500, "log_dinfo", 0},
		{"bad block", []string{info(4, sum), `{"type":10004,"tid":"%s","log_ddata":{"offset":0,"data":"AAAA"}}`}, 500, "block begins with", 0},
		{"error", []string{`{"type":0,"tid":"%s","errmsg":"boom"}`}, 503, `{"code":503,"msg":"boom"}`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.id, func(t *testing.T) {
			id := strings.ReplaceAll(tt.id, " ", "-")
			script(t, f, id, tt.frames...)
			resp, body := f.request(t, http.MethodGet, "/api/agents/"+id+"/log/download?files=a&files=b")
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d: %.200s", resp.StatusCode, body)
			}
			if tt.status != http.StatusOK {
				if !strings.Contains(body, tt.body) || !strings.HasPrefix(body, fmt.Sprintf(`{"code":%d,`, tt.status)) {
					t.Errorf("the answer is %s, want %s", body, tt.body)
				}
				return
			}
			if len(body) != tt.bytes || resp.Header.Get("Content-Type") != "application/zip" || !strings.Contains(resp.Header.Get("Content-Disposition"), "log.zip") {
				t.Errorf("%d bytes with %v", len(body), resp.Header)
			}
		})
	}
	f.get(t, "/api/agents/nope/log/download?files=a", http.StatusNotFound, `{"code":404,"msg":"not found: agent"}`)
	for _, query := range []string{"", "?files=a&timeout=0", "?files=a&timeout=x", "?files=a&timeout=3601"} {
		if resp, body := f.request(t, http.MethodGet, "/api/agents/blocks/log/download"+query); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, resp.StatusCode, body)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(f.TokenFile()), "spool", "*")); err != nil || len(left) > 0 {
		t.Errorf("left on the disk: %v, %v", left, err)
	}
}

// An agent that announces a file and sends nothing costs its caller the time that he gave, and nobody a place for ever.
func TestLogDownloadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		script(t, f, "slow", info(40000, [md5.Size]byte{}))
		for range 10 { // more than there are places
			f.get(t, "/api/agents/slow/log/download?files=a&timeout=1", http.StatusGatewayTimeout, timeout)
		}
	})
}

const (
	timeout = `{"code":504,"msg":"timeout"}`
	busy    = `{"code":503,"msg":"too many transfers at the same time"}`
)

// manual is an agent whose answers a test sends.
type manual struct {
	*conn.Conn
	tasks chan string // that it was asked for
}

// manual connects an agent that says nothing of its own but pings.
func (f *fixture) manual(t *testing.T, id string) manual {
	t.Helper()
	m := manual{f.agent(t, id, "any-agent"), make(chan string, 100)}
	served := serve(m.Conn, func(f *wire.Frame) []byte {
		m.tasks <- f.Task
		return nil
	})
	stop, beaten := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(beaten)
		beat(m.Conn, stop)
	}()
	t.Cleanup(func() {
		close(stop)
		<-beaten
		m.Close(conn.CodeNormal, "")
		<-served
	})
	return m
}

// answer sends a frame, in which %s is the task.
func (m manual) answer(t *testing.T, task, frame string) {
	t.Helper()
	sendRaw(t, m.Conn, strings.ReplaceAll(frame, "%s", task))
}

// answered is how a download ended.
type answered struct {
	status int
	body   string
	retry  string // after so many seconds
	took   time.Duration
}

// downloads asks for n downloads at the same time.
func (f *fixture) downloads(t *testing.T, id string, n int, wait string) <-chan answered {
	t.Helper()
	results := make(chan answered, n)
	for range n {
		go func() {
			began := time.Now()
			resp, body := f.request(t, http.MethodGet, "/api/agents/"+id+"/log/download?files=a&timeout="+wait)
			results <- answered{resp.StatusCode, body, resp.Header.Get("Retry-After"), time.Since(began)}
		}()
	}
	return results
}

// wantBusy wants a client to be sent away and told when to come back.
func wantBusy(t *testing.T, a answered) {
	t.Helper()
	if s, err := strconv.Atoi(a.retry); a.status != http.StatusServiceUnavailable || a.body != busy || err != nil || s < 10 || s > 15 {
		t.Errorf("%d %s, Retry-After %q: want %s, and 10 to 15 s", a.status, a.body, a.retry, busy)
	}
}

// Agents that say nothing keep nobody from the files of others.
func TestSilentAgentsTakeNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		var waiting []<-chan answered
		for i := range 3 {
			id := fmt.Sprintf("silent-%d", i)
			f.manual(t, id)
			waiting = append(waiting, f.downloads(t, id, 4, "600"))
		}
		synctest.Wait()
		script(t, f, "x", info(4, md5.Sum([]byte("data"))), data(0, "data"))
		f.get(t, "/api/agents/x/log/download?files=a", http.StatusOK, "data")
		for _, w := range waiting {
			for range 4 {
				if a := <-w; a.body != timeout || a.took != 10*time.Minute {
					t.Errorf("%d %s after %v, want %s after 10 minutes", a.status, a.body, a.took, timeout)
				}
			}
		}
	})
}

// One agent does not take all places.
func TestPlacesOfAnAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		m := f.manual(t, "x")
		results := f.downloads(t, "x", 3, "600")
		tasks := []string{<-m.tasks, <-m.tasks, <-m.tasks}
		for _, task := range tasks {
			m.answer(t, task, info(4, md5.Sum([]byte("data"))))
		}
		wantBusy(t, <-results) // the third to announce
		synctest.Wait()
		wantBusy(t, <-f.downloads(t, "x", 1, "600"))
		if len(m.tasks) > 0 {
			t.Error("the agent was asked for what there is no place for")
		}
		script(t, f, "y", info(4, md5.Sum([]byte("data"))), data(0, "data"))
		f.get(t, "/api/agents/y/log/download?files=a", http.StatusOK, "data")
		for range 2 {
			if a := <-results; a.body != timeout {
				t.Errorf("%d %s, want %s", a.status, a.body, timeout)
			}
		}
		if got := f.metric(t, `agent_server_call_duration_seconds_count{result="busy"}`); got != "1" {
			t.Errorf("%q calls counted as busy, want 1", got)
		}
	})
}

// When all places are taken, clients are told so, and get theirs once one is free.
func TestPlacesOfAllAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		var waiting []<-chan answered
		for i := range 4 {
			id := fmt.Sprintf("agent-%d", i)
			m := f.manual(t, id)
			waiting = append(waiting, f.downloads(t, id, 2, "600"))
			for range 2 {
				m.answer(t, <-m.tasks, info(4, md5.Sum([]byte("data"))))
			}
		}
		synctest.Wait()
		m := f.manual(t, "y")
		wantBusy(t, <-f.downloads(t, "y", 1, "600"))
		f.get(t, "/api/agents/nope/log/download?files=a", http.StatusNotFound, `{"code":404,"msg":"not found: agent"}`)
		for _, w := range waiting {
			for range 2 {
				if a := <-w; a.body != timeout || a.took != 30*time.Second {
					t.Errorf("%d %s after %v, want %s after 30 s", a.status, a.body, a.took, timeout)
				}
			}
		}
		result := f.downloads(t, "y", 1, "600")
		task := <-m.tasks
		m.answer(t, task, info(4, md5.Sum([]byte("data"))))
		m.answer(t, task, data(0, "data"))
		if a := <-result; a.status != http.StatusOK || a.body != "data" {
			t.Errorf("%d %s, want the file", a.status, a.body)
		}
	})
}

// An agent may take its time to pack the files, and then to send them, but not to send nothing.
func TestLogDownloadStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		m := f.manual(t, "x")
		result := f.downloads(t, "x", 1, "600")
		task := <-m.tasks
		time.Sleep(2 * time.Minute)
		m.answer(t, task, info(10, md5.Sum([]byte("0123456789"))))
		for i := range 5 {
			time.Sleep(29 * time.Second)
			m.answer(t, task, data(i, strconv.Itoa(i)))
		}
		if a := <-result; a.body != timeout || a.took != 2*time.Minute+5*29*time.Second+30*time.Second {
			t.Errorf("%d %s after %v, want %s 30 s after the last block", a.status, a.body, a.took, timeout)
		}
		result = f.downloads(t, "x", 1, "600")
		m.answer(t, <-m.tasks, info(10, [md5.Size]byte{}))
		if a := <-result; a.body != timeout || a.took != 30*time.Second {
			t.Errorf("%d %s after %v, want %s 30 s after the announcement", a.status, a.body, a.took, timeout)
		}
	})
}

// What a killed server has left on the disk is cleared, and nothing else, whatever the name of the folder.
func TestSpoolIsCleared(t *testing.T) {
	for _, name := range []string{"data", "a[b", "[x]", "{a,b}"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			spool := filepath.Join(dir, "spool")
			if err := os.MkdirAll(spool, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"transfer-123", "transfer-4", "mine"} {
				if err := os.WriteFile(filepath.Join(spool, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			start(t, server.Config{DataDir: dir}).agent(t, "x", "example-agent") // so it runs
			if left, err := os.ReadDir(spool); err != nil || len(left) != 1 || left[0].Name() != "mine" {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}
