package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// Server is a server that runs on loopback until its test ends.
type Server struct {
	*server.Server
	URL    string // of the API
	Token  string
	Client *http.Client
	Stop   func() // ends the server and waits for it; may be called twice
}

// Start runs a server with features.
func Start(t testing.TB, features ...server.Feature) *Server {
	t.Helper()
	return StartConfig(t, server.Config{Features: features})
}

// StartConfig runs a server. What is not set of the config is set for a test.
func StartConfig(t testing.TB, cfg server.Config) *Server {
	t.Helper()
	cfg.Listen, cfg.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(srv.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Server: srv, URL: "http://" + srv.APIAddr().String(), Token: strings.TrimSpace(string(token)),
		Client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := srv.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	s.Stop = func() {
		s.Client.CloseIdleConnections()
		cancel()
		<-ended
	}
	t.Cleanup(s.Stop)
	return s
}

// Request makes a request to the API, with its token.
func (s *Server) Request(t testing.TB, method, path, contentType string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

// Do asks the API, and returns status, header and body of the answer.
func (s *Server) Do(t testing.TB, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := s.Client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	return resp, string(b)
}

// Get asks with GET, or another method that has no body.
func (s *Server) Get(t testing.TB, method, path string) (*http.Response, string) {
	t.Helper()
	return s.Do(t, s.Request(t, method, path, "", nil))
}

// PostJSON asks with a body of JSON.
func (s *Server) PostJSON(t testing.TB, path, body string) (*http.Response, string) {
	t.Helper()
	return s.Do(t, s.Request(t, http.MethodPost, path, "application/json", strings.NewReader(body)))
}

// Field is a value of a form, or its file when it has the name of one.
type Field struct {
	Name, Value, Filename string
}

// PostForm asks with a form.
func (s *Server) PostForm(t testing.TB, path string, fields ...Field) (*http.Response, string) {
	t.Helper()
	return s.Do(t, s.Form(t, http.MethodPost, path, fields...))
}

// Form makes a request with a form.
func (s *Server) Form(t testing.TB, method, path string, fields ...Field) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, f := range fields {
		create := func() (io.Writer, error) { return w.CreateFormField(f.Name) }
		if f.Filename != "" {
			create = func() (io.Writer, error) { return w.CreateFormFile(f.Name, f.Filename) }
		}
		part, err := create()
		if err == nil {
			_, err = io.WriteString(part, f.Value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Request(t, method, path, w.FormDataContentType(), &body)
}

// Want reports an answer that has another status, or whose body does not hold all the texts.
func Want(t testing.TB, resp *http.Response, body string, status int, texts ...string) {
	t.Helper()
	if resp.StatusCode != status {
		t.Errorf("%s %s: status %d %s, want %d", resp.Request.Method, resp.Request.URL, resp.StatusCode, clip(body), status)
		return
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("%s %s: %s lacks %s", resp.Request.Method, resp.Request.URL, clip(body), text)
		}
	}
}

func clip(s string) string { return s[:min(len(s), 1000)] }

// Payload decodes the payload of an answer that worked.
func Payload[T any](t testing.TB, body string) T {
	t.Helper()
	var v struct {
		Code    *int
		Payload T
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil || v.Code == nil || *v.Code != 0 {
		t.Fatalf("answer %s: %v", clip(body), err)
	}
	return v.Payload
}
