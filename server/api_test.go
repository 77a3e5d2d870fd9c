package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

func agentJSON(id, kind, os string) string {
	return fmt.Sprintf(`{"id":%q,"type":%q,"version":"1.2.3","ip":"192.0.2.10","mac":"02:00:c0:00:02:0a","os":%q,`+
		`"platform":"debian","arch":"x86_64","is_busy":false,"authenticated":false}`, id, kind, os)
}

// Programs read these very answers.
func TestAPI(t *testing.T) {
	f := start(t, server.Config{ID: "srv-01", Version: "2.0.0"})
	f.get(t, "/api/info/server", 200, `{"code":0,"payload":{"id":"srv-01","version":"2.0.0","agents":0,"is_blocking":false}}`)
	f.get(t, "/api/agents", 200, `{"code":0,"payload":[]}`)
	serve(f.agent(t, "example-01", "example-agent"), bar)
	serve(f.agent(t, "exec-01", "exec-agent"), echoBack)
	win := f.connect(t, conn.Options{})
	p := come("win-01", "exec-agent")
	p.OS = "windows"
	shake(t, win, p)
	bare := f.connect(t, conn.Options{})
	shake(t, bare, wire.ComePayload{ID: "a%c"})

	example, exec, windows := agentJSON("example-01", "example-agent", "linux"), agentJSON("exec-01", "exec-agent", "linux"), agentJSON("win-01", "exec-agent", "windows")
	nothing := `{"id":"a%c","type":"","version":"","ip":"","mac":"","os":"","platform":"","arch":"","is_busy":false,"authenticated":false}`
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"/api/info/server", 200, `{"code":0,"payload":{"id":"srv-01","version":"2.0.0","agents":4,"is_blocking":false}}`},
		{"/api/agents", 200, `{"code":0,"payload":[` + strings.Join([]string{nothing, example, exec, windows}, ",") + `]}`},
		{"/api/agents?type=exec-agent", 200, `{"code":0,"payload":[` + exec + `,` + windows + `]}`},
		{"/api/agents?type=exec-agent&os=linux", 200, `{"code":0,"payload":[` + exec + `]}`},
		{"/api/agents?os=windows", 200, `{"code":0,"payload":[` + windows + `]}`},
		{"/api/agents?os=plan9", 200, `{"code":0,"payload":[]}`},
		{"/api/agents?page=&size=", 200, `{"code":0,"payload":[` + strings.Join([]string{nothing, example, exec, windows}, ",") + `]}`},
		{"/api/agents?page=2", 200, `{"code":0,"payload":[]}`},
		{"/api/agents?page=9223372036854775807&size=10000", 200, `{"code":0,"payload":[]}`},
		{"/api/agents?page=0", 400, `{"code":400,"msg":"bad param: query.page: expected number >= 1"}`},
		{"/api/agents?page=-1", 400, `{"code":400,"msg":"bad param: query.page: expected number >= 1"}`},
		{"/api/agents?page=abc", 400, `{"code":400,"msg":"bad param: query.page: invalid integer"}`},
		{"/api/agents?page=99999999999999999999", 400, `{"code":400,"msg":"bad param: query.page: invalid integer"}`},
		{"/api/agents?size=5", 400, `{"code":400,"msg":"bad param: query.size: expected number >= 10"}`},
		{"/api/agents?size=10001", 400, `{"code":400,"msg":"bad param: query.size: expected number <= 10000"}`},
		{"/api/agents?page=x&size=y", 400, `{"code":400,"msg":"bad param: query.page: invalid integer; query.size: invalid integer"}`},
		{"/api/agents/example-01", 200, `{"code":0,"payload":` + example + `}`},
		{"/api/agents/a%25c", 200, `{"code":0,"payload":` + nothing + `}`},
		{"/api/agents/nope", 404, `{"code":404,"msg":"not found: agent"}`},
		{"/api/foo/example-01", 200, `{"code":0}`},
		{"/api/agents/example-01", 200, `{"code":0,"payload":` + example + `}`}, // not busy any more
		{"/api/foo/exec-01", 424, `{"code":424,"msg":"invalid agent type want [example-agent] got [exec-agent]"}`},
		{"/api/foo/nope", 404, `{"code":404,"msg":"not found: agent"}`},
		{"/api/agents/", 404, `{"code":404,"msg":"not found: route"}`},
		{"/api/agents/x/y", 404, `{"code":404,"msg":"not found: route"}`},
		{"/", 404, `{"code":404,"msg":"not found: route"}`},
		{"/docs", 404, `{"code":404,"msg":"not found: route"}`},
		{"/schemas/Done.json", 404, `{"code":404,"msg":"not found: route"}`},
		{"/ws/agent", 404, `{"code":404,"msg":"not found: route"}`},
		{"/healthz", 200, `{"code":0}`},
		{"/readyz", 200, `{"code":0}`},
	} {
		f.get(t, tt.path, tt.status, tt.want)
	}
	resp, body := f.request(t, "POST", "/api/agents")
	if resp.StatusCode != 405 || body != `{"code":405,"msg":"method not allowed: GET, HEAD"}` || resp.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /api/agents: %s %s, Allow %q", resp.Status, body, resp.Header.Get("Allow"))
	}
	for _, path := range []string{"/api/agents", "/api/agents?page=0", "/nope", "/healthz"} {
		if resp, _ := f.request(t, "GET", path, "Accept", "text/html"); resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("GET %s: content type %q", path, resp.Header.Get("Content-Type"))
		}
	}
}

// A list is the same however often it is asked for, and its pages hold every agent once.
func TestAPIPages(t *testing.T) {
	f := start(t, server.Config{})
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("host-%02d", (i*7)%25)
		f.agent(t, id, "exec-agent")
		want = append(want, id)
	}
	slices.Sort(want)
	var got []string
	for page := 1; ; page++ {
		_, body := f.request(t, "GET", fmt.Sprintf("/api/agents?size=10&page=%d", page))
		var answer struct{ Payload []struct{ ID string } }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		if len(answer.Payload) == 0 {
			break
		}
		if len(answer.Payload) > 10 {
			t.Errorf("%d agents on a page of 10", len(answer.Payload))
		}
		for _, a := range answer.Payload {
			got = append(got, a.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages hold %q, want %q", got, want)
	}
	all, err := f.List(t.Context(), server.Filter{Skip: 20})
	if err != nil || len(all) != 5 || all[0].ID != "host-20" {
		t.Errorf("List skips to %+v, %v", all, err)
	}
}

// What goes wrong at an agent has its status and its words.
func TestFooFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer string
		status int
		want   string
	}{
		{"agent's error", `{"type":0,"tid":"%s","errmsg":"boom"}`, 503, `{"code":503,"msg":"boom"}`},
		{"wrong type", `{"type":11,"tid":"%s"}`, 500, `{"code":500,"msg":"invalid message type: 11"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t, server.Config{})
			serve(f.agent(t, "x", "example-agent"), answerWith(tt.answer))
			f.get(t, "/api/foo/x", tt.status, tt.want)
		})
	}
	t.Run("gone", func(t *testing.T) {
		f := start(t, server.Config{})
		c := f.agent(t, "x", "example-agent")
		go func() {
			c.Receive()
			c.Close(conn.CodeNormal, "")
		}()
		f.get(t, "/api/foo/x", 410, `{"code":410,"msg":"agent is gone"}`)
	})
	t.Run("timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := startInMemory(t, server.Config{})
			c := f.agent(t, "x", "example-agent")
			serve(c, func(*wire.Frame) []byte { return nil })
			stop := make(chan struct{})
			beaten := make(chan struct{})
			go func() {
				defer close(beaten)
				beat(c, stop)
			}()
			began := time.Now()
			f.get(t, "/api/foo/x", 504, `{"code":504,"msg":"timeout"}`)
			if took := time.Since(began); took != time.Minute {
				t.Errorf("the timeout came after %v, want a minute", took)
			}
			close(stop)
			<-beaten
		})
	})
}

// beat sends a ping every 10 s, as agents do.
func beat(c *conn.Conn, stop <-chan struct{}) {
	for {
		select {
		case <-time.After(10 * time.Second):
			if c.SendPing(context.Background()) != nil {
				return
			}
		case <-stop:
			return
		}
	}
}

// The timeout is the operator's.
func TestAPITimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{API: server.APIConfig{Timeout: 3 * time.Second}})
		serve(f.agent(t, "x", "example-agent"), func(*wire.Frame) []byte { return nil })
		began := time.Now()
		f.get(t, "/api/foo/x", 504, `{"code":504,"msg":"timeout"}`)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the timeout came after %v, want 3 s", took)
		}
	})
}

// response is an answer as the description of the API has it.
type response struct {
	Content map[string]struct {
		Schema struct {
			Ref string `json:"$ref"`
		}
	}
}

// answers are the statuses with which a call answers. Those of failures have our envelope.
func answers(t *testing.T, responses map[string]response) []string {
	t.Helper()
	for status, r := range responses {
		if ref := r.Content["application/json"].Schema.Ref; (status == "200") == (ref == "#/components/schemas/Error") {
			t.Errorf("an answer with status %s is %q", status, ref)
		}
	}
	return slices.Sorted(maps.Keys(responses))
}

// Whoever generates a client from the description must get what the server says.
func TestOpenAPI(t *testing.T) {
	f := start(t, server.Config{Version: "2.0.0"})
	resp, body := f.request(t, "GET", "/api/openapi.json")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/openapi+json" {
		t.Errorf("%s, %q", resp.Status, resp.Header.Get("Content-Type"))
	}
	var spec struct {
		Info       struct{ Version string }
		Paths      map[string]map[string]struct{ Responses map[string]response }
		Components struct{ Schemas map[string]any }
		Security   []map[string][]string
	}
	if err := json.Unmarshal([]byte(body), &spec); err != nil {
		t.Fatal(err)
	}
	if spec.Info.Version != "2.0.0" || len(spec.Security) != 1 {
		t.Errorf("version %q, security %v", spec.Info.Version, spec.Security)
	}
	statuses := map[string][]string{
		"/api/info/server": {"200", "401", "403", "500"},
		"/api/agents":      {"200", "400", "401", "403", "500"},
		"/api/agents/{id}": {"200", "401", "403", "404", "500"},
		"/api/foo/{id}":    {"200", "401", "403", "404", "410", "424", "500", "503", "504"},
	}
	for path, want := range statuses {
		if got := answers(t, spec.Paths[path]["get"].Responses); !slices.Equal(got, want) {
			t.Errorf("%s answers with %v, want %v", path, got, want)
		}
	}
	for path, methods := range spec.Paths {
		for method, operation := range methods {
			if got := answers(t, operation.Responses); !slices.Contains(got, "401") || !slices.Contains(got, "403") {
				t.Errorf("%s %s does not say that it needs a token: %v", method, path, got)
			}
		}
	}
	for _, foreign := range []string{"ErrorModel", "ErrorDetail"} {
		if spec.Components.Schemas[foreign] != nil {
			t.Errorf("%s is described, and nothing answers with it", foreign)
		}
	}
}

// The API over its own listener.
func TestAPIOverTheNetwork(t *testing.T) {
	f := start(t, server.Config{})
	serve(f.agent(t, "x", "example-agent"), bar)
	client := &http.Client{}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+f.APIAddr().String()+"/api/foo/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || string(body) != `{"code":0}`+"\n" {
		t.Errorf("%s %s %v", resp.Status, body, err)
	}
}
