package server_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// honest connects an agent that has to be served all the while, and returns what fails the test if it was not.
func honest(t *testing.T, f *fixture) (stop func()) {
	t.Helper()
	c := f.agent(t, "honest", "example-agent")
	serve(c, bar)
	ended := make(chan struct{})
	var asking sync.WaitGroup
	asked := 0
	asking.Go(func() {
		for {
			if resp, body := f.request(t, http.MethodGet, "/api/foo/honest"); resp.StatusCode != http.StatusOK {
				t.Errorf("the honest agent was not served: %s %s", resp.Status, body)
				return
			}
			asked++
			select {
			case <-ended:
				return
			default:
				runtime.Gosched()
			}
		}
	})
	return func() {
		close(ended)
		asking.Wait()
		t.Logf("the honest agent was asked %d times", asked)
	}
}

// One agent or stranger must not spoil it for the others, whatever it sends: it is answered, counted and, where it does not
// speak the protocol, closed with a code that says why.
func TestBadCompany(t *testing.T) {
	f := start(t, server.Config{ConnectLimit: -1})
	defer honest(t, f)()
	for _, tt := range []struct {
		name   string
		do     func(t *testing.T)
		series string // that counts it
	}{
		{"known types with what is not theirs", func(t *testing.T) { everyType(t, f) }, `agent_server_bad_frames_total{kind="kind"}`},
		{"no payload", func(t *testing.T) { sendAndLive(t, f, `{"type":7}`) }, `agent_server_bad_frames_total{kind="no_payload"}`},
		{"no JSON", func(t *testing.T) { sendAndLive(t, f, `{"type":7,`) }, `agent_server_bad_frames_total{kind="syntax"}`},
		{"deep", func(t *testing.T) {
			sendAndLive(t, f, `{"type":7,"ai":`+strings.Repeat("[", 1_000_000)+strings.Repeat("]", 1_000_000)+`}`)
		}, `agent_server_bad_frames_total{kind="depth"}`},
		{"huge numbers", func(t *testing.T) {
			sendAndLive(t, f, `{"type":7,"ai":{"ts":1e400}}`, `{"type":7,"ai":{"ts":`+strings.Repeat("9", 10_000)+`}}`, `{"type":1e99}`,
				`{"type":-9223372036854775809}`)
		}, `agent_server_bad_frames_total{kind="range"}`},
		{"a second come", func(t *testing.T) { sendAndLive(t, f, comeFrame(`"another"`)) }, `agent_server_bad_frames_total{kind="second_come"}`},
		{"types of nobody", func(t *testing.T) {
			sendAndLive(t, f, `{"type":98}`, `{"type":5000}`, `{"type":29999}`, `{"type":2147483647}`, `{"type":-1}`)
		}, `agent_server_dropped_frames_total{type="custom"}`},
		{"a frame of 100 MB", func(t *testing.T) { hugeFrame(t, f) }, `agent_server_sessions_ended_total{reason="too_big"}`},
		{"a compressed bomb", func(t *testing.T) { compressedBomb(t, f) }, `agent_server_sessions_ended_total{reason="too_big"}`},
		{"no UTF-8", func(t *testing.T) { sendAndEnd(t, f, 1, "{\"type\":7,\"ai\":{\"v\":\"\xff\"}}", conn.CodeBadData) },
			`agent_server_sessions_ended_total{reason="utf8"}`},
		{"no frame of WebSocket", func(t *testing.T) { sendAndEnd(t, f, 0x7, "x", conn.CodeProtocol) }, `agent_server_sessions_ended_total{reason="protocol"}`},
		{"half closed", func(t *testing.T) { halfClosed(t, f) }, `agent_server_sessions_ended_total{reason="lost"}`},
		{"reset", func(t *testing.T) { reset(t, f) }, `agent_server_sessions_ended_total{reason="network"}`},
		{"a thousand that say nothing", func(t *testing.T) { silent(t, f, 1000) }, ""},
		{"upgrades that never shake hands", func(t *testing.T) { upgradedOnly(t, f, 200) }, `agent_server_handshakes_total{result="lost"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := f.metric(t, tt.series)
			tt.do(t)
			if tt.series == "" {
				return
			}
			for f.metric(t, tt.series) == before {
				time.Sleep(time.Millisecond)
			}
		})
	}
	waitFor(t, f, "agent_count", "1")
}

// sendAndLive sends frames that harm nothing but themselves: the agent stays.
func sendAndLive(t *testing.T, f *fixture, frames ...string) {
	t.Helper()
	c := f.agent(t, "bad", "example-agent")
	for _, text := range frames {
		sendRaw(t, c, text)
	}
	ended := serve(c, bar)
	f.get(t, "/api/foo/bad", http.StatusOK, `{"code":0}`)
	c.Close(conn.CodeNormal, "")
	<-ended
}

// everyType sends each type that is known, and some that are not, with every payload that it should not have.
func everyType(t *testing.T, f *fixture) {
	payloads := []string{`null`, `"text"`, `7`, `[]`, `{}`, `[null]`, `{"id":{}}`, `true`, `{"ok":"yes","pid":"one","data":7,"files":{}}`}
	fields := []string{"come", "handshake", "ai", "exec", "execd", "exec_data", "exec_done", "exec_kill", "ls_req", "ls_rep", "upload",
		"upload_rep", "download_req", "download_rep", "download_data", "download_error", "hm_static", "hm_dynamic_req", "hm_dynamic_rep",
		"hm_status_rep", "hm_change_status", "hm_agent_status", "inst_args", "inst_rep", "logging_config", "logging_req", "logging_rep",
		"logging_report", "ls_log", "log_dreq", "log_dinfo", "log_ddata", "errmsg"}
	var frames []string
	for typ := range 110 {
		if typ == int(wire.Come.Type()) {
			continue
		}
		frames = append(frames, fmt.Sprintf(`{"type":%d}`, typ), fmt.Sprintf(`{"type":%d,"tid":"nobody's"}`, typ), fmt.Sprintf(`{"type":%d,"tid":7}`, typ))
		for _, p := range payloads {
			frames = append(frames, fmt.Sprintf(`{"type":%d,"tid":"nobody's",%q:%s}`, typ, fields[typ%len(fields)], p))
		}
	}
	for typ := range 6 {
		frames = append(frames, fmt.Sprintf(`{"type":%d}`, 10000+typ), fmt.Sprintf(`{"type":%d,"out":[1,2]}`, 20000+typ))
	}
	for _, field := range fields {
		for _, p := range payloads {
			frames = append(frames, fmt.Sprintf(`{"type":7,%q:%s}`, field, p))
		}
	}
	sendAndLive(t, f, frames...)
}

// sendAndEnd sends a frame for which the connection is ended with a code.
func sendAndEnd(t *testing.T, f *fixture, opcode byte, text string, code int) {
	t.Helper()
	c := upgrade(t, f)
	defer c.Close()
	writeFrame(t, c, 1, comeFrame(`"bad"`))
	readFrame(t, c)
	writeFrame(t, c, opcode, text)
	wantClosed(t, c, code)
}

// wantClosed reads until the goodbye.
func wantClosed(t *testing.T, c net.Conn, code int) {
	t.Helper()
	for {
		opcode, text := readFrame(t, c)
		if opcode != 8 {
			continue
		}
		if got := int(binary.BigEndian.Uint16([]byte(text))); got != code {
			t.Errorf("closed with %d %q, want %d", got, text[2:], code)
		}
		return
	}
}

// hugeFrame announces 100 MB and sends as much of it as is taken. The server's memory does not see it.
func hugeFrame(t *testing.T, f *fixture) {
	c := upgrade(t, f)
	defer c.Close()
	writeFrame(t, c, 1, comeFrame(`"bad"`))
	readFrame(t, c)
	before := inUse()
	var sending sync.WaitGroup
	sending.Go(func() {
		head := binary.BigEndian.AppendUint64([]byte{0x81, 0x80 | 127}, 100<<20)
		block := make([]byte, 1<<20)
		if _, err := c.Write(append(head, 0, 0, 0, 0)); err != nil {
			return
		}
		for range 100 {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	})
	wantClosed(t, c, conn.CodeTooBig)
	c.Close()
	sending.Wait()
	if after := inUse(); after > before+8<<20 {
		t.Errorf("memory went from %d to %d bytes", before, after)
	}
}

// compressedBomb sends a message of 256 MB that is small when it is compressed.
func compressedBomb(t *testing.T, f *fixture) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	blank := bytes.Repeat([]byte(" "), 1<<20)
	for range 256 { // 256 MB
		if _, err := w.Write(blank); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	packed := bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	upgradedWith(t, c, "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n")
	writeFrame(t, c, 1, comeFrame(`"bad"`))
	readFrame(t, c)
	before := inUse()
	head := binary.BigEndian.AppendUint64([]byte{0x81 | 0x40, 0x80 | 127}, uint64(len(packed)))
	if _, err := c.Write(append(append(head, 0, 0, 0, 0), packed...)); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, c, conn.CodeTooBig)
	if after := inUse(); after > before+40<<20 { // the largest message, and twice that while it grows
		t.Errorf("memory went from %d to %d bytes", before, after)
	}
}

// halfClosed ends its side of the connection and listens on: its id is free.
func halfClosed(t *testing.T, f *fixture) {
	c := upgrade(t, f)
	defer c.Close()
	writeFrame(t, c, 1, comeFrame(`"bad"`))
	readFrame(t, c)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("the server did not end the connection: %v", err)
	}
	waitFor(t, f, "agent_count", "1")
	f.agent(t, "bad", "example-agent").Close(conn.CodeNormal, "")
}

// reset goes without a word.
func reset(t *testing.T, f *fixture) {
	c := upgrade(t, f)
	writeFrame(t, c, 1, comeFrame(`"bad"`))
	readFrame(t, c)
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// silent connects and says nothing.
func silent(t *testing.T, f *fixture, n int) {
	for range n {
		c, err := f.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	f.get(t, "/api/foo/honest", http.StatusOK, `{"code":0}`)
}

// upgradedOnly upgrades and says nothing.
func upgradedOnly(t *testing.T, f *fixture, n int) {
	for range n {
		defer upgrade(t, f).Close()
	}
	f.get(t, "/api/foo/honest", http.StatusOK, `{"code":0}`)
}
