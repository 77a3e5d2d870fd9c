package doctest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"github.com/jkstack/jkframe/v2/internal/freeport"
	"github.com/jkstack/jkframe/v2/server"
)

// running is a server in this process, whose working directory is the test's, as that of the pages is the reader's.
type running struct {
	*server.Server
	dir string
}

// start runs a server until the test ends, with its data in the folder data of a working directory of its own.
func start(t *testing.T, with ...server.Feature) *running {
	t.Helper()
	r := &running{dir: t.TempDir()}
	var err error
	r.Server, err = server.New(server.Config{
		Listen: "127.0.0.1:0", API: server.APIConfig{Listen: "127.0.0.1:0"}, DataDir: filepath.Join(r.dir, "data"),
		Features: with,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Attach(r.Server, "nothing", nothing{}); err != nil {
		t.Fatal(err)
	}
	if err := r.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

// nothing is a sink that takes what comes.
type nothing struct{}

func (nothing) Take(context.Context, []server.Entry) error { return nil }

// get asks the API, and returns the body of a good answer.
func (r *running) get(t *testing.T, path string) (string, error) {
	t.Helper()
	token := strings.TrimSpace(read(t, r.TokenFile()))
	return get(t, "http://"+r.APIAddr().String()+path, token)
}

func get(t *testing.T, url, token string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, body)
	}
	return string(body), err
}

// agent runs the agent of README.md with its config file, against this server.
func (r *running) agent(t *testing.T, more string) *process {
	t.Helper()
	readme := root + "/README.md"
	conf := ""
	for _, b := range doccheck.Blocks(read(t, readme)) {
		if b.Lang == "" && strings.Contains(b.Text, "basic.server") {
			conf = strings.Replace(b.Text, "127.0.0.1:13081", r.AgentAddr().String(), 1)
		}
	}
	if !strings.Contains(conf, r.AgentAddr().String()) {
		t.Fatal("README.md: no config file with the address of the server")
	}
	binary := build(t, root, program(t, readme, "package main"))
	return launch(t, t.TempDir(), binary, conf+more, "run", "--conf", "agent.conf")
}

// The agent of the first page does what that page says: it connects, is given an id, and answers.
func TestReadmeAgent(t *testing.T) {
	r := start(t)
	p := r.agent(t, "")
	var id string
	eventually(t, "the agent is listed", func() error {
		body, err := r.get(t, "/api/agents?type=example-agent")
		if err != nil {
			return err
		}
		var answer struct{ Payload []struct{ ID string } }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			return err
		}
		if len(answer.Payload) != 1 {
			return fmt.Errorf("agents: %s", body)
		}
		id = answer.Payload[0].ID
		return nil
	}, p)
	if body, err := r.get(t, "/api/foo/"+id); err != nil || strings.TrimSpace(body) != `{"code":0}` {
		t.Errorf("foo: %q, %v", body, err)
	}
}

// An operator's commands answer as the page shows them.
func TestConsole(t *testing.T) {
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIP: %s is not installed", tool)
		}
	}
	r := start(t)
	p := r.agent(t, "basic.id = host-17\nbasic.log.target = file\n")
	eventually(t, "the agent is connected", func() error {
		_, err := r.get(t, "/api/agents/host-17")
		return err
	}, p)
	const setToken = "TOKEN=$(cat data/api.token)"
	count := 0
	for _, b := range doccheck.Blocks(read(t, docs+"/operating-the-server.md")) {
		if b.Lang != "console" {
			continue
		}
		for _, step := range steps(b.Text) {
			command := strings.ReplaceAll(setToken+"\n"+step.command, "127.0.0.1:13080", r.APIAddr().String())
			cmd := exec.CommandContext(t.Context(), "sh", "-euc", command)
			cmd.Dir = r.dir
			said, err := cmd.CombinedOutput()
			want := strings.ReplaceAll(regexp.QuoteMeta(step.output), "…", ".*")
			if err != nil || !regexp.MustCompile("^"+want+"$").MatchString(strings.TrimSpace(string(said))) {
				t.Errorf("line %d: $ %s\nsaid %s (%v)\nwant %s", b.Line, step.command, said, err, step.output)
			}
			count++
		}
	}
	if count < 8 {
		t.Errorf("only %d commands found", count)
	}
}

// step is a command and what it prints.
type step struct{ command, output string }

func steps(text string) []step {
	var all []step
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, step{command: strings.TrimSpace(command)})
		} else if len(all) > 0 {
			all[len(all)-1].output = strings.TrimSpace(all[len(all)-1].output + "\n" + strings.TrimSpace(line))
		}
	}
	return all
}

// The agent and the server of the tutorial talk to each other.
func TestTutorial(t *testing.T) {
	page := docs + "/writing-an-agent.md"
	agents, api, web := freeport.Addr(t), freeport.Addr(t), freeport.Addr(t)
	dir := t.TempDir()
	conf := fmt.Sprintf("listen = %s\napi.listen = %s\n", agents, api)
	if err := os.WriteFile(filepath.Join(dir, "server.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	code := strings.Replace(program(t, page, "Command disk-server"), "127.0.0.1:13082", web, 1)
	srv := launch(t, dir, build(t, root+"/server", code), "")

	conf = ""
	for _, b := range doccheck.Blocks(read(t, page)) {
		if b.Lang == "" && strings.Contains(b.Text, "basic.id") {
			conf = strings.Replace(b.Text, "127.0.0.1:13081", agents, 1)
		}
	}
	agent := launch(t, t.TempDir(), build(t, root, program(t, page, "Command disk-agent")), conf, "run", "--conf", "agent.conf")
	var body string
	eventually(t, "the agent says how full its disk is", func() (err error) {
		body, err = get(t, "http://"+web+"/disk/disk-01", "")
		return err
	}, srv, agent)
	var usage struct {
		Path string
		Free *uint64
	}
	if err := json.Unmarshal([]byte(body), &usage); err != nil || usage.Path != "/" || usage.Free == nil {
		t.Errorf("answer %q, %v", body, err)
	}
}

// The page lists every call of the API, and no others.
func TestCalls(t *testing.T) {
	r := start(t)
	documented := make(map[string]bool)
	for _, table := range doccheck.Tables(read(t, docs+"/operating-the-server.md")) {
		if table.Head[0] != "call" {
			continue
		}
		for _, row := range table.Rows {
			documented[strings.Trim(row[0], "`")] = true
		}
	}
	body, err := r.get(t, "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &api); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(api.OpenAPI, "3.1.") || len(api.Paths) < 4 {
		t.Fatalf("OpenAPI %s with %d paths", api.OpenAPI, len(api.Paths))
	}
	for path, methods := range api.Paths {
		for method := range methods {
			call := strings.ToUpper(method) + " " + path
			if !documented[call] {
				t.Errorf("operating-the-server.md lacks %s", call)
			}
			delete(documented, call)
		}
	}
	for call := range documented { // what is left is there, but not described
		path := strings.TrimPrefix(call, "GET ")
		if _, err := r.get(t, path); err != nil {
			t.Errorf("operating-the-server.md has %s: %v", call, err)
		}
	}
}
