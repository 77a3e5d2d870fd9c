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
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
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
	f := start(t, server.Config{})
	script(t, f, "slow", info(40000, [md5.Size]byte{}))
	for range 10 { // more than there are places
		f.get(t, "/api/agents/slow/log/download?files=a&timeout=1", http.StatusGatewayTimeout, `{"code":504,"msg":"timeout"}`)
	}
}

// What a killed server has left on the disk is cleared, and nothing else.
func TestSpoolIsCleared(t *testing.T) {
	dir := t.TempDir()
	spool := filepath.Join(dir, "spool")
	if err := os.Mkdir(spool, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"transfer-123", "mine"} {
		if err := os.WriteFile(filepath.Join(spool, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start(t, server.Config{DataDir: dir})
	if left, err := os.ReadDir(spool); err != nil || len(left) != 1 || left[0].Name() != "mine" {
		t.Errorf("left: %v, %v", left, err)
	}
}
