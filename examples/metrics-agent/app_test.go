package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// oldConf is a config file of an agent of the field, with a comment in it.
const oldConf = "# ours\nbasic.id = metrics-01\nbasic.server = server\nbasic.monitor.interval = 2s\n" +
	"task.jobs = static,usage,process,conns,temps # all\ntask.static.interval = 10s\ntask.usage.interval = 2s\ntask.process.interval = 3s\n" +
	"task.conns.interval = 3s\ntask.temps.interval = 3s\ntask.process.qps_limit = 10000\ntask.conns.qps_limit = 10000\ntask.conns.allow = tcp,udp,unix\n"

// startOld runs the agent in a bubble with that file.
func startOld(t *testing.T, old bool) (*agenttest.Session, *agenttest.Agent, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "agent.conf")
	if err := os.WriteFile(file, []byte(oldConf), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := agenttest.NewServer(t, &agenttest.Options{Old: old})
	ag := srv.Start(&app{}, &libagent.Options{ConfigFile: file})
	return srv.Accept(), ag, file
}

// Each kind of report comes at once and then at its own interval, beside the status that counts them.
func TestReports(t *testing.T) {
	for _, old := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s, _, _ := startOld(t, old)
			begin := time.Now()
			var static, usage, processes int
			var last wire.MetricsStatusPayload
			for time.Since(begin) < time.Minute {
				f, err := s.Next()
				if err != nil {
					t.Fatal(err)
				}
				if f.Task != "" {
					t.Errorf("a report has the task %q", f.Task)
				}
				switch f.Type {
				case wire.HostStatic.Reply.Type():
					static++
					if r, err := wire.HostStatic.Reply.Decode(f); err != nil || r.CPU.Logical == 0 || r.Memory.Physical == 0 || len(r.Partitions) == 0 {
						t.Errorf("static %+v, %v", r, err)
					}
				case wire.HostDynamic.Reply.Type():
					r, err := wire.HostDynamic.Reply.Decode(f)
					if err != nil {
						t.Fatal(err)
					}
					if r.Usage != nil {
						usage++
					}
					if len(r.Processes) > 0 {
						processes++
					}
				case wire.MetricsStatus.Type():
					if last, err = wire.MetricsStatus.Decode(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			if static < 6 || static > 7 || usage < 28 || usage > 31 || processes < 18 || processes > 21 {
				t.Errorf("%d static, %d usage, %d process reports in a minute", static, usage, processes)
			}
			if len(last.Jobs) != 5 || last.Jobs[1].Name != "usage" || last.Jobs[1].Interval != 2 || last.Jobs[1].Count < 25 || last.Jobs[1].BytesSent < 1000 {
				t.Errorf("status %+v", last)
			}
		})
	}
}

// A server switches jobs while the agent runs. It counts at once and after a restart, and the operator's file keeps the rest.
func TestSwitchedByServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ag, file := startOld(t, true)
		for _, c := range []struct {
			asked []string
			want  string
		}{
			{[]string{"static", "usage"}, "static,usage"},
			{nil, ""},
			{[]string{"xyz", "usage", "$HOME", "usage"}, "usage"},
			{[]string{"temps", "static", "usage", "process", "conns"}, "static,usage,process,conns,temps"},
		} {
			agenttest.Send(s, wire.ChangeCollect, wire.ChangeCollectPayload{Jobs: c.asked})
			synctest.Wait()
			r, err := agenttest.Call(s, wire.CollectStatus, wire.Empty{})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, j := range r.Jobs {
				names = append(names, j.Name)
			}
			if got := strings.Join(names, ","); got != c.want {
				t.Errorf("asked for %q, now %q, want %q", c.asked, got, c.want)
			}
			text, err := os.ReadFile(file)
			words := strings.Join(strings.Fields(string(text)), " ") // an empty value may leave a blank behind
			if want := strings.Replace(oldConf, "= static,usage,process,conns,temps", "= "+c.want, 1); err != nil || words != strings.Join(strings.Fields(want), " ") {
				t.Errorf("asked for %q, the file is\n%s, %v", c.asked, text, err)
			}
		}
		if strings.Contains(ag.Log(), "kept in memory") {
			t.Error(ag.Log())
		}
	})
}

// What was switched off is not collected, and what was switched on begins at once.
func TestSwitchedJobsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := startOld(t, true)
		agenttest.Send(s, wire.ChangeCollect, wire.ChangeCollectPayload{})
		time.Sleep(time.Second)
		if _, err := agenttest.Call(s, wire.CollectStatus, wire.Empty{}); err != nil {
			t.Fatal(err)
		}
		for begin := time.Now(); time.Since(begin) < time.Minute; {
			f, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			// What was being collected is still reported.
			if time.Since(begin) > 20*time.Second && (f.Type == wire.HostDynamic.Reply.Type() || f.Type == wire.HostStatic.Reply.Type()) {
				t.Fatalf("a report of type %d after all jobs were switched off", f.Type)
			}
		}
		begin := time.Now()
		agenttest.Send(s, wire.ChangeCollect, wire.ChangeCollectPayload{Jobs: []string{"static"}})
		agenttest.Wait(s, wire.HostStatic.Reply)
		if d := time.Since(begin); d > time.Second {
			t.Errorf("the first report came after %v", d)
		}
	})
}

// What is asked for is answered, and nothing else: sections, the processes that use most, kinds of connections that the host's
// own config allows. Whatever a server writes there harms nothing.
func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := startOld(t, true)
		ask := func(q wire.HostDynamicRequest) wire.HostDynamicReply {
			t.Helper()
			r, err := agenttest.Call(s, wire.HostDynamic, q)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := ask(wire.HostDynamicRequest{Sections: []wire.HostSection{wire.SectionProcesses}, Top: 2})
		if len(r.Processes) != 2 || r.Usage != nil || r.Connections != nil || r.Processes[0].CPU < r.Processes[1].CPU {
			t.Errorf("top 2: %+v", r)
		}
		r = ask(wire.HostDynamicRequest{Sections: []wire.HostSection{0, 0, 7, -1, 1 << 30}, Top: -5, Connections: []string{"xyz"}})
		if r.Usage == nil || r.Processes != nil || r.Usage.Memory.Used == 0 {
			t.Errorf("usage: %+v", r)
		}
		r = ask(wire.HostDynamicRequest{Sections: []wire.HostSection{wire.SectionConnections}, Connections: []string{"tcp4,udp"}})
		if r.Connections != nil {
			t.Errorf("a kind that there is not: %+v", r)
		}
		r = ask(wire.HostDynamicRequest{Sections: make([]wire.HostSection, 100_000), Connections: slices.Repeat([]string{"tcp"}, 10_000)})
		if r.Usage == nil {
			t.Error("no usage")
		}
	})
}

// What the host's config does not allow is not shown to a server that asks for it by name.
func TestAllowedConnections(t *testing.T) {
	c := newConf()
	c.Task.Conns.Allow = []string{"tcp", "udp4"}
	for _, k := range []struct {
		asked []string
		want  string
	}{
		{nil, "tcp4 tcp6 udp4"},
		{[]string{"all"}, "tcp4 tcp6 udp4"},
		{[]string{"udp", "unix"}, "udp4"},
		{[]string{"unix"}, ""},
		{[]string{"tcp6", "tcp6", "nonsense"}, "tcp6"},
	} {
		if got := strings.Join(c.Task.allowed(k.asked), " "); got != k.want {
			t.Errorf("asked for %q: %q, want %q", k.asked, got, k.want)
		}
	}
}

// A config that cannot work is refused by its key.
func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*task){
		"task.jobs: ":             func(t *task) { t.Jobs = []string{"usage", "cpu"} },
		"task.temps.interval: ":   func(t *task) { t.Temps.Interval = time.Second - 1 },
		"task.conns.qps_limit: ":  func(t *task) { t.Conns.QPSLimit = 0 },
		"task.conns.allow: ":      func(t *task) { t.Conns.Allow = []string{"tcp", "tpc"} },
		"task.process.qps_limit:": func(t *task) { t.Process.QPSLimit = 10001 },
	} {
		c := newConf()
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&c.Task)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Validate = %v, want %q", err, want)
		}
	}
}

// recording is a frame between an agent and a server of the field.
type recording struct {
	Dir   string          `json:"dir"`
	Frame json.RawMessage `json:"frame"`
}

// A server of the field that asks as it was recorded gets an answer with the members that its own agent gave, and no others.
func TestRecordedRequests(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: the recordings are of Linux")
	}
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) < 8 {
		t.Fatalf("recordings: %q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var request, reply json.RawMessage
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			var r recording
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if r.Dir == "s2a" {
				request = r.Frame
			} else {
				reply = r.Frame
			}
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, _ := startOld(t, true)
				s.SendRaw(string(request))
				var want struct {
					Type wire.Type `json:"type"`
					Task string    `json:"tid"`
				}
				if err := json.Unmarshal(reply, &want); err != nil {
					t.Fatal(err)
				}
				for {
					f, err := s.Next()
					if err != nil {
						t.Fatal(err)
					}
					if f.Task != want.Task {
						continue
					}
					if f.Type != want.Type {
						t.Fatalf("answered with type %d %s", f.Type, f.Error)
					}
					raw, _ := f.Raw(map[wire.Type]string{31: "hm_static", 33: "hm_dynamic_rep", 35: "hm_status_rep"}[f.Type])
					ours := members(t, "", raw)
					for m := range ours {
						if !slices.Contains(optional(), m) && !members(t, "", payload(t, reply))[m] {
							t.Errorf("member %s, which the recording has not", m)
						}
					}
					return
				}
			})
		})
	}
}

// optional are members that the recorded machine had no reason to give: swap, a file system without disk, users of processes …
func optional() []string {
	return []string{
		".memory.swap", ".disks[].parts", ".usage.mem.sused", ".usage.mem.sfree", ".process[].swap", ".process[].listen", ".process[].pid",
		".process[].cpu", ".process[].conns", ".usage.parts[].rps", ".usage.parts[].wps", ".usage.parts[].iip", ".process[].rss", ".process[].mem",
		".container", ".container.runtime", ".container.cpus", ".container.memory", ".cpu.cores[].core", ".cpu.cores[].processor",
		".cpu.cores[].physical", ".conns[].fd", ".conns[].pid", ".conns[].local", ".conns[].remote", ".conns[].status", ".conns[].type", ".conns", ".process[].vms",
		".usage.cpu.usage", ".interface[].mac", ".interface[].addrs", ".temps", ".temps[].name", ".temps[].temp", ".process[].user", ".gateway",
	}
}

func payload(t *testing.T, frame json.RawMessage) json.RawMessage {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(frame, &all); err != nil {
		t.Fatal(err)
	}
	for name, v := range all {
		if strings.HasPrefix(name, "hm_") {
			return v
		}
	}
	t.Fatalf("no payload in %s", frame)
	return nil
}

// members returns the paths of all members of a value.
func members(t *testing.T, path string, v json.RawMessage) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(v, &object) == nil:
		for name, m := range object {
			all[path+"."+name] = true
			for p := range members(t, path+"."+name, m) {
				all[p] = true
			}
		}
	case json.Unmarshal(v, &list) == nil:
		for _, m := range list {
			for p := range members(t, path+"[]", m) {
				all[p] = true
			}
		}
	}
	return all
}
