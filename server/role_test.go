package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/internal/tokens"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// acting is a feature with a route of each role, which has something done.
type acting struct{ did chan string }

func (acting) Name() string { return "acting" }

func (a acting) Attach(h *server.Host) error {
	for role, pattern := range map[server.Role]string{
		server.RoleRead: "GET /api/acting/read", server.RoleOperate: "POST /api/acting/operate/{id}", server.RoleAdmin: "POST /api/acting/admin",
	} {
		h.Handle(role, pattern, a.act(h))
	}
	h.Handle(server.RoleOperate, "POST /api/acting/order/{id}", a.act(h))
	h.OnlyOrders("POST /api/acting/order/{id}")
	return nil
}

func (a acting) act(h *server.Host) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if id := r.PathValue("id"); id != "" {
			if err := server.Send(r.Context(), h.Fleet(), id, wire.Exec, wire.ExecPayload{
				Cmd: "mysql --password=hunter2", Args: []string{"--token", "hunter3"}, Env: []string{"KEY=hunter4"}, Pass: r.Header.Get("Pass"),
			}); err != nil {
				server.Fail(w, err)
				return
			}
		}
		p, _ := server.PrincipalOf(r.Context())
		select {
		case a.did <- p.Name:
		default:
		}
		rest.WriteJSON(w, 200, rest.Done{})
	}
}

// Every route of the API refuses who has no token, and who has one with too small a role; and serves who may.
func TestEveryRouteNeedsItsRole(t *testing.T) {
	f := startFleet(t, server.Config{Features: []server.Feature{acting{}}, Agents: server.AgentsConfig{Auth: "open"}})
	byRole := make(map[server.Role]string)
	for _, role := range []server.Role{server.RoleRead, server.RoleOperate, server.RoleAdmin} {
		byRole[role] = f.apiToken(t, "--role", role.String())
	}
	count := make(map[server.Role]int)
	for pattern, need := range f.Routes() {
		count[need]++
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{id}", "x", "{tid}", "x", "{pid}", "1").Replace(path)
		if resp, _ := f.request(t, method, path, "Authorization", ""); resp.StatusCode != 401 {
			t.Errorf("%s without a token: %s", pattern, resp.Status)
		}
		for role, token := range byRole {
			resp, body := f.request(t, method, path, "Authorization", "Bearer "+token)
			if refused := resp.StatusCode == 403; refused != (role < need) || resp.StatusCode == 401 {
				t.Errorf("%s needs %v, with a token to %v: %d %s", pattern, need, role, resp.StatusCode, body)
			}
		}
	}
	for _, role := range []server.Role{server.RoleRead, server.RoleOperate, server.RoleAdmin} {
		if count[role] == 0 {
			t.Errorf("no route needs the role %v: this test shows nothing", role)
		}
	}
}

// A token that is not good any more, or counts in another way than in its header, is none.
func TestBadAPITokens(t *testing.T) {
	f := startFleet(t, server.Config{})
	good, gone := f.apiToken(t, "--role", "read"), f.apiToken(t, "--role", "read", "--name", "gone")
	if resp, _ := f.request(t, "GET", "/api/agents", "Authorization", "Bearer "+gone); resp.StatusCode != 200 {
		t.Fatalf("before the revocation: %s", resp.Status)
	}
	f.command(t, "token", "revoke", "gone")
	expired := f.makeToken(t, tokens.Token{Kind: tokens.API, Name: "x", Role: "read", Expires: time.Now().Add(-time.Second)})
	noRole := f.makeToken(t, tokens.Token{Kind: tokens.API, Name: "x", Role: "all"})
	for deadline := time.Now().Add(5 * time.Second); ; { // it is noticed within a second
		resp, _ := f.request(t, "GET", "/api/agents", "Authorization", "Bearer "+gone)
		if resp.StatusCode == 401 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a revoked token is still good")
		}
		runtime.Gosched()
	}
	for name, header := range map[string]string{
		"expired": "Bearer " + expired, "no role": "Bearer " + noRole, "enrols": "Bearer " + f.enrolToken(t), "cut": "Bearer " + good[:len(good)-1],
		"capitals": "Bearer " + strings.ToUpper(good), "basic": "Basic " + good,
	} {
		resp, body := f.request(t, "GET", "/api/agents", "Authorization", header)
		if resp.StatusCode != 401 || body != `{"code":401,"msg":"a valid bearer token is needed"}` {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	for _, query := range []string{"token", "access_token", "authorization", "bearer"} {
		if resp, _ := f.request(t, "GET", "/api/agents?"+query+"="+good, "Authorization", ""); resp.StatusCode != 401 {
			t.Errorf("a token in the URL as %s: %s", query, resp.Status)
		}
	}
	if resp, _ := f.request(t, "GET", "/api/agents", "Authorization", "", "Cookie", "token="+good); resp.StatusCode != 401 {
		t.Errorf("a token in a cookie: %s", resp.Status)
	}
	if resp, _ := f.request(t, "GET", "/api/agents", "Authorization", "Bearer "+good); resp.StatusCode != 200 {
		t.Errorf("the good one: %s", resp.Status)
	}
	if all := f.logs.String(); strings.Contains(all, good) {
		t.Error("a token is in the log")
	}
}

// A token for some agents sees and reaches no others.
func TestScope(t *testing.T) {
	did := make(chan string, 1)
	f := startFleet(t, server.Config{Features: []server.Feature{acting{did}}, Agents: server.AgentsConfig{Auth: "open"}})
	for _, id := range []string{"a", "b", "c"} {
		kind := "exec-agent"
		if id == "c" {
			kind = "example-agent"
		}
		serve(f.agent(t, id, kind), bar)
	}
	for _, tt := range []struct {
		args []string
		sees []string
	}{
		{[]string{"--agents", "a"}, []string{"a"}},
		{[]string{"--types", "example-agent"}, []string{"c"}},
		{[]string{"--agents", "b,nobody", "--types", "example-agent"}, []string{"b", "c"}},
	} {
		token := "Bearer " + f.apiToken(t, append([]string{"--role", "operate"}, tt.args...)...)
		_, body := f.request(t, "GET", "/api/agents", "Authorization", token)
		var list struct{ Payload []struct{ ID string } }
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		var seen []string
		for _, a := range list.Payload {
			seen = append(seen, a.ID)
		}
		if strings.Join(seen, " ") != strings.Join(tt.sees, " ") {
			t.Errorf("%v sees %v, want %v", tt.args, seen, tt.sees)
		}
		if _, body := f.request(t, "GET", "/api/info/server", "Authorization", token); !strings.Contains(body, fmt.Sprintf(`"agents":%d,`, len(tt.sees))) {
			t.Errorf("%v counts others: %s", tt.args, body)
		}
		for _, id := range []string{"a", "b", "c"} {
			want := 404
			if strings.Contains(strings.Join(tt.sees, " "), id) {
				want = 200
			}
			for _, call := range [][2]string{{"GET", "/api/agents/" + id}, {"POST", "/api/acting/operate/" + id}} {
				if resp, body := f.request(t, call[0], call[1], "Authorization", token); resp.StatusCode != want {
					t.Errorf("%v: %s %s is %d %s, want %d", tt.args, call[0], call[1], resp.StatusCode, body, want)
				}
			}
		}
		if resp, _ := f.request(t, "GET", "/metrics", "Authorization", token); resp.StatusCode != 403 {
			t.Errorf("%v reads the metrics of all agents: %s", tt.args, resp.Status)
		}
	}
}

// A body is JSON, and a token has its rate.
func TestContentTypeAndRate(t *testing.T) {
	f := startFleet(t, server.Config{Features: []server.Feature{posting{}}})
	for kind, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "text/plain": 415, "application/x-www-form-urlencoded": 415,
		"multipart/form-data; boundary=x": 415, "": 415, "application/jsonx": 415,
	} {
		req := httptest.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1/api/posting", strings.NewReader(`{"text":"x"}`))
		req.Header.Set("Authorization", "Bearer "+f.token)
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		rec := httptest.NewRecorder()
		f.APIHandler().ServeHTTP(rec, req)
		if rec.Code != want {
			t.Errorf("content type %q: %d %s, want %d", kind, rec.Code, rec.Body, want)
		}
	}
	token := "Bearer " + f.apiToken(t, "--role", "read", "--rate", "5")
	codes := make(map[int]int)
	for range 50 {
		resp, _ := f.request(t, "GET", "/api/agents", "Authorization", token)
		codes[resp.StatusCode]++
		if resp.StatusCode == 429 && resp.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if codes[200] < 5 || codes[429] == 0 {
		t.Errorf("50 requests at 5 a second: %v", codes)
	}
	f.get(t, "/api/agents", 200, `{"code":0,"payload":[]}`) // another token has its own
}

// An order is in the audit log before it goes out, with the call that gives it and without its secrets.
func TestOrdersAreAudited(t *testing.T) {
	for _, path := range []string{"/api/acting/operate/a", "/api/acting/order/a"} {
		t.Run(path, func(t *testing.T) { testOrderAudited(t, path) })
	}
}

func testOrderAudited(t *testing.T, path string) {
	did := make(chan string, 1)
	f := startFleet(t, server.Config{Features: []server.Feature{acting{did}}, Agents: server.AgentsConfig{Auth: "open"}})
	c := f.agent(t, "a", "exec-agent")
	got := make(chan []map[string]any, 10)
	serve(c, func(fr *wire.Frame) []byte {
		if fr.Type == wire.Exec.Type() {
			for _, event := range []string{"api", "order"} {
				lines, _, err := audit.Read(filepath.Join(f.dir, "audit"), audit.Query{Event: event})
				if err != nil || len(lines) == 0 {
					t.Errorf("the order came before the line %q in the audit log: %v %v", event, lines, err)
				}
			}
			got <- nil
		}
		return bar(fr)
	})
	token := "Bearer " + f.apiToken(t, "--role", "operate", "--name", "deploy")
	if resp, body := f.request(t, "POST", path, "Authorization", token, "Pass", "hunter1"); resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	<-got
	if name := <-did; name != "deploy" {
		t.Errorf("done in the name of %q", name)
	}
	orders := f.audited(t, "order")
	if len(orders) != 1 || orders[0]["actor"] != "deploy" || orders[0]["target"] != "a" || orders[0]["what"] != "exec (10)" {
		t.Fatalf("orders %v", orders)
	}
	if results := f.audited(t, "result"); len(results) != 1 || results[0]["task"] != orders[0]["task"] || results[0]["result"] != "ok" {
		t.Errorf("results %v", results)
	}
	if calls := f.audited(t, "api"); len(calls) != 1 || calls[0]["actor"] != "deploy" || calls[0]["what"] != "POST "+path {
		t.Errorf("calls %v", calls)
	}
	text, err := os.ReadFile(filepath.Join(f.dir, "audit", "00000000000000000001.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter", token[7:], token[24:]} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the audit log holds %q:\n%s", secret, text)
		}
	}
	before := len(f.audited(t, "order"))
	f.request(t, "GET", "/api/agents/a", "Authorization", token)
	if _, err := server.Call(t.Context(), f, "a", wire.Foo, wire.Empty{}); err != nil {
		t.Error(err)
	}
	if after := len(f.audited(t, "order")); after != before {
		t.Errorf("who only asks is in the audit log: %d lines more", after-before)
	}
	if line := f.command(t, "audit", "verify"); !strings.HasPrefix(line, "ok: ") {
		t.Error(line)
	}
}

// When the audit log cannot be written nothing is done, and when it can be again everything is.
func TestOrdersWithoutAudit(t *testing.T) {
	f := startFleet(t, server.Config{Features: []server.Feature{acting{make(chan string, 9)}}, Agents: server.AgentsConfig{Auth: "open"}})
	c := f.agent(t, "a", "exec-agent")
	got := make(chan struct{}, 9)
	serve(c, func(fr *wire.Frame) []byte {
		if fr.Type == wire.Exec.Type() {
			got <- struct{}{}
		}
		return bar(fr)
	})
	f.BreakAudit()
	err := server.Send(t.Context(), f, "a", wire.Exec, wire.ExecPayload{Cmd: "ls"})
	wantErr(t, err, server.ErrAudit)
	for _, path := range []string{"/api/acting/operate/a", "/api/acting/order/a"} {
		if resp, body := f.request(t, "POST", path); resp.StatusCode != 503 || !strings.Contains(body, "nothing was done") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	if _, err := server.Call(t.Context(), f, "a", wire.Foo, wire.Empty{}); err != nil {
		t.Errorf("who only asks needs no audit log: %v", err) // and the answer comes after what was sent before
	}
	if len(got) != 0 {
		t.Errorf("%d orders were sent", len(got))
	}
	// One that needs a second word goes out, and the second word is not said.
	late, recorded := server.Late(t.Context())
	if err := recorded(); err != nil {
		t.Error(err)
	}
	if err := server.Send(late, f, "a", wire.Exec, wire.ExecPayload{Cmd: "ls"}); err != nil {
		t.Error(err)
	}
	<-got
	for range 2 {
		wantErr(t, recorded(), server.ErrAudit)
	}
}

// A password goes only where nobody can read it on the way.
func TestPasswordsNeedTLS(t *testing.T) {
	f := startFleet(t, server.Config{Agents: server.AgentsConfig{Auth: "open"}})
	serve(f.agent(t, "near", "exec-agent"), bar)
	far := &faraway{f: f}
	far.agent(t, "far")
	h := f.enrolled(t, "sealed")
	sealed, err := f.arrive(t, h, "", "exec-agent")
	if err != nil {
		t.Fatal(err)
	}
	serve(sealed, bar)
	for id, want := range map[string]error{"near": nil, "sealed": nil, "far": server.ErrPlaintext} {
		err := server.Send(t.Context(), f, id, wire.Exec, wire.ExecPayload{Cmd: "ls", Auth: wire.AuthSudo, Pass: "hunter1"})
		if want == nil && err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if want != nil {
			wantErr(t, err, want)
		}
	}
	if err := server.Send(t.Context(), f, "far", wire.Exec, wire.ExecPayload{Cmd: "ls"}); err != nil {
		t.Errorf("without a password: %v", err)
	}
	if refused := f.audited(t, "order.refused"); len(refused) != 1 || refused[0]["target"] != "far" {
		t.Errorf("refused orders %v", refused)
	}
}

// A program that asks in somebody's name reaches what that one may.
func TestPrincipalOfAProgram(t *testing.T) {
	f := startFleet(t, server.Config{Agents: server.AgentsConfig{Auth: "open"}})
	serve(f.agent(t, "a", "exec-agent"), bar)
	ctx := server.WithPrincipal(context.Background(), server.Principal{Name: "cron", Role: server.RoleOperate, Agents: []string{"b"}})
	_, err := server.Call(ctx, f, "a", wire.Foo, wire.Empty{})
	wantErr(t, err, server.ErrNotFound)
	if _, err := f.Begin(ctx, "a", nil, nil); err == nil {
		t.Error("Begin reaches an agent that the principal may not")
	}
	if err := server.Send(context.Background(), f, "a", wire.ExecKill, wire.ExecKillPayload{PID: 7}); err != nil {
		t.Error(err)
	}
	if orders := f.audited(t, "order"); len(orders) != 1 || orders[0]["actor"] != "program" {
		t.Errorf("orders %v", orders)
	}
}
