package libagent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// An assigned id is written into the config file, and every other byte of it stays.
func TestIDIsWritten(t *testing.T) {
	const id = "agent-20261120-6f51bedf71994cff"
	tests := []struct{ name, file, before, after string }{
		{"empty", "a.conf", "# my agent\nbasic.id =\nbasic.server = s   # there\r\n\n\tgreeting=  hi\n", "# my agent\nbasic.id = " + id + "\nbasic.server = s   # there\r\n\n\tgreeting=  hi\n"},
		{"flat", "a.conf", "id=\nserver=s\n", "id=" + id + "\nserver=s\n"},
		{"the operator's own stays", "a.conf", "basic.id = old # name\nbasic.server = s\n", "basic.id = old # name\nbasic.server = s\n"},
		{"variable stays", "a.conf", "basic.id = $AGENT_ID\nbasic.server = s\n", "basic.id = $AGENT_ID\nbasic.server = s\n"},
		{"yaml empty", "a.yaml", "# mine\nbasic:\n  id:   # to come\n  server: s\n", "# mine\nbasic:\n  id: \"" + id + "\"   # to come\n  server: s\n"},
		{"yaml missing", "a.yaml", "basic:\n    server: s # ü\n    log: {level: debug}\n", "basic:\n    id: \"" + id + "\"\n    server: s # ü\n    log: {level: debug}\n"},
		{"yaml comment", "a.yaml", "# mine\nbasic:\n  # the server\n  server: s\n", "# mine\nbasic:\n  id: \"" + id + "\"\n  # the server\n  server: s\n"},
		{"yaml quoted", "a.yml", "basic: {id: '', server: s}\n", "basic: {id: \"" + id + "\", server: s}\n"},
		{"yaml dotted", "a.yml", "basic.server: s\n", "basic.id: \"" + id + "\"\nbasic.server: s\n"},
		{"yaml flat", "a.yml", "server: s\n", "id: \"" + id + "\"\nserver: s\n"},
		{"json missing", "a.json", "{\n\t\"basic\": {\n\t\t\"server\": \"s\"\n\t}\n}\n", "{\n\t\"basic\": {\n\t\t\"id\": \"" + id + "\",\n\t\t\"server\": \"s\"\n\t}\n}\n"},
		{"json null", "a.json", `{"basic": {"id": null, "server": "s"}}`, `{"basic": {"id": "` + id + `", "server": "s"}}`},
		{"json empty", "a.json", `{"basic": {"server": "s", "id": ""}}`, `{"basic": {"server": "s", "id": "` + id + `"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("AGENT_ID", "env-id")
			file := write(t, tt.file, tt.before)
			assign(t, file, id)
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.after {
				t.Errorf("the file is\n%q, want\n%q", got, tt.after)
			}
			if info, _ := os.Stat(file); info.Mode().Perm() != 0o640 {
				t.Errorf("the file has mode %v", info.Mode())
			}
			if rest, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(rest) != 1 {
				t.Errorf("left behind: %v", rest)
			}
		})
	}
}

// assign runs an agent with a config file against a server that assigns it an id, and sees it come back with that id.
func assign(t *testing.T, file, id string) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		srv := newServer(t, func(s *session) {
			s.shake(wire.HandshakePayload{OK: true, ID: id})
			ids = append(ids, s.come.ID)
			time.Sleep(time.Second)
			s.Close(1001, "again")
		})
		ag := start(t, srv, &testApp{}, func(o *libagent.Options, _ *testConf) { o.Config, o.ConfigFile = nil, file })
		time.Sleep(8 * time.Second)
		synctest.Wait()
		stop(t, ag)
		if len(ids) < 2 || ids[1] != id {
			t.Errorf("the agent called itself %q: it does not keep what it was assigned", ids)
		}
	})
}

// A file that cannot be written is no reason not to work.
func TestIDIsKeptInMemory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "agent.conf")
	if err := os.WriteFile(file, []byte("basic.server = s\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+".gone", dir); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		srv := newServer(t, func(s *session) {
			s.readCome()
			os.Remove(dir) // before the id comes
			ids = append(ids, s.come.ID)
			put(s, wire.Handshake, wire.HandshakePayload{OK: true, ID: "assigned-1"})
			time.Sleep(time.Second)
			s.Close(1001, "again")
		})
		ag := start(t, srv, &testApp{}, func(o *libagent.Options, _ *testConf) { o.Config, o.ConfigFile = nil, file })
		time.Sleep(8 * time.Second)
		synctest.Wait()
		stop(t, ag)
		if len(ids) < 2 || ids[1] != "assigned-1" || !strings.Contains(ag.Log(), "kept in memory") {
			t.Errorf("ids %q, log\n%s", ids, ag.Log())
		}
	})
}
