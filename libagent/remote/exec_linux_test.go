package remote_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
	"golang.org/x/sys/unix"
)

// A server learns of every command how it went, and of each that did not run, why.
func TestExec(t *testing.T) {
	f := start(t, all, nil)
	dir := f.dir
	for name, tt := range map[string]struct {
		q    wire.ExecPayload
		want ended
	}{
		"line":    {wire.ExecPayload{Cmd: "echo a  b; echo err >&2; exit 3"}, ended{out: "a b\nerr\n", done: wire.ExecDonePayload{Code: 3}}},
		"list":    {wire.ExecPayload{Cmd: "printf", Args: []string{"%s|", "a  b", "$HOME", ";"}}, ended{out: "a  b|$HOME|;|"}},
		"name":    {wire.ExecPayload{Cmd: "true"}, ended{}},
		"signal":  {wire.ExecPayload{Cmd: "kill -9 $$"}, ended{done: wire.ExecDonePayload{Code: -1, Signal: "SIGKILL"}}},
		"timeout": {wire.ExecPayload{Cmd: "sleep 1000", Timeout: 1}, ended{done: wire.ExecDonePayload{Code: -1, Why: wire.WhyTimeout, Signal: "SIGTERM"}}},
		"folder":  {wire.ExecPayload{Cmd: "pwd", WorkDir: dir, Env: []string{"A=1"}}, ended{out: dir + "\n"}},
		"env":     {wire.ExecPayload{Cmd: "echo $A", Env: []string{"A=1 2"}}, ended{out: "1 2\n"}},
		"stdin":   {wire.ExecPayload{Cmd: "cat", Stdin: []byte("given")}, ended{out: "given"}},
		"pty":     {wire.ExecPayload{Cmd: "stty", Args: []string{"size"}, PTY: true, Rows: 7, Cols: 8}, ended{out: "7 8\r\n"}},
		"gbk":     {wire.ExecPayload{Cmd: `printf '\304\343\272\303\n'`}, ended{out: "你好\n"}},
		"auth":    {wire.ExecPayload{Cmd: "echo x", Auth: "other"}, ended{out: "x\n"}},

		"not found":      {wire.ExecPayload{Cmd: "no-such-command"}, ended{start: wire.ExecdPayload{Why: wire.WhyNotFound, Msg: "no-such-command"}}},
		"not executable": {wire.ExecPayload{Cmd: dir}, ended{start: wire.ExecdPayload{Why: wire.WhyNotExecutable, Msg: "folder"}}},
		"no folder":      {wire.ExecPayload{Cmd: "true", WorkDir: dir + "/none"}, ended{start: wire.ExecdPayload{Why: wire.WhyNoFolder, Msg: "none"}}},
		"no user":        {wire.ExecPayload{Cmd: "true", User: "no-such-user"}, ended{start: wire.ExecdPayload{Why: wire.WhyNoUser, Msg: "no-such-user"}}},
		"no user named":  {wire.ExecPayload{Cmd: "true", Auth: "sudo"}, ended{start: wire.ExecdPayload{Why: wire.WhyNoUser, Msg: "sudo"}}},
		"nothing":        {wire.ExecPayload{}, ended{start: wire.ExecdPayload{Why: wire.WhyNotFound}}},
		"drm":            {wire.ExecPayload{Cmd: "true", DeferRM: "/etc/passwd"}, ended{start: wire.ExecdPayload{Why: wire.WhyPolicy, Msg: "/etc/passwd"}}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.q.Detail = true
			got, want := f.run(t, tt.q), tt.want
			if got.start.OK != (want.start.Why == "") || got.start.Why != want.start.Why || !strings.Contains(got.start.Msg, want.start.Msg) || got.start.Time.IsZero() || got.start.OK != (got.start.PID > 0) {
				t.Errorf("start %+v, want %+v", got.start, want.start)
			}
			if got.out != want.out {
				t.Errorf("output %q, want %q", got.out, want.out)
			}
			if got.start.OK && (got.done.Time.Before(got.start.Time) || got.done.Code != want.done.Code || got.done.Why != want.done.Why || got.done.Signal != want.done.Signal) {
				t.Errorf("end %+v, want %+v", got.done, want.done)
			}
		})
	}
}

// What is on a host cannot be found out by asking for commands that are not allowed: there or not, the refusal is the same.
func TestPolicyTellsNothing(t *testing.T) {
	f := start(t, "exec.enabled = true\nexec.allow = echo,no-such-command,/no/such/*\n", nil)
	refusal := func(cmd string) string {
		e := f.run(t, wire.ExecPayload{Cmd: cmd, Detail: true})
		if e.start.OK || e.start.Why != wire.WhyPolicy {
			t.Errorf("%s: %+v", cmd, e)
		}
		return strings.Replace(e.start.Msg, strconv.Quote(cmd), "", 1)
	}
	want := refusal("/none/such/file")
	for _, cmd := range []string{f.policy, f.dir, "/bin/sh", "/etc/passwd", f.dir + "/none"} {
		if got := refusal(cmd); got != want && cmd != "/bin/sh" { // which may be a link
			t.Errorf("%s: %s, want %s", cmd, got, want)
		}
	}
	refusal("no-such-other")
	for _, cmd := range []string{"no-such-command", "/no/such/thing", "/no/such/../such/thing"} {
		if e := f.run(t, wire.ExecPayload{Cmd: cmd, Detail: true}); e.start.Why != wire.WhyNotFound {
			t.Errorf("%s: %+v", cmd, e)
		}
	}
}

// A script that may not run does not stay, and what a server puts into the folder for temporary files is bounded: a host that lets it
// write nowhere is not filled by it.
func TestTemporaryFilesAreBounded(t *testing.T) {
	f := start(t, "exec.enabled = true\nexec.allow = uptime\n", nil)
	put := func(size uint64, data wire.Block) wire.UploadReply {
		r, err := agenttest.Call(f.s, wire.Upload, wire.UploadRequest{Dir: wire.TempDir, Name: rand.Text(), Size: size, Data: data, Detail: true})
		must(t, err)
		return r
	}
	r := put(1, block.Encode([]byte("x")))
	if e := f.run(t, wire.ExecPayload{Cmd: "sh", Args: []string{r.Dir}, DeferRM: r.Dir, Detail: true}); e.start.OK || e.start.Why != wire.WhyPolicy {
		t.Errorf("%+v", e)
	}
	if _, err := os.Stat(r.Dir); !os.IsNotExist(err) || !r.OK {
		t.Errorf("the script is there: %+v, %v", r, err)
	}
	other := put(1, block.Encode([]byte("x")))
	if e := f.run(t, wire.ExecPayload{Cmd: "sh", Args: []string{f.policy}, DeferRM: f.policy, Detail: true}); e.start.OK {
		t.Errorf("%+v", e)
	}
	for _, file := range []string{other.Dir, f.policy} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	if r := put(2<<30, ""); r.OK || r.Why != wire.WhyNoSpace {
		t.Errorf("%+v", r)
	}
	must(t, os.Truncate(other.Dir, 1<<30)) // without a byte on the disk
	if r := put(1, block.Encode([]byte("x"))); r.OK || r.Why != wire.WhyNoSpace || !strings.Contains(r.Msg, "temporary") {
		t.Errorf("%+v", r)
	}
	// Of one that grows nobody knows beforehand how large it will be, nor how many others grow beside it.
	must(t, os.Truncate(other.Dir, 1<<30-1<<20))
	data := random(t, 4<<20)
	f.Respond(grown(data))
	r, err := agenttest.Call(f.s, wire.Upload, wire.UploadRequest{Dir: wire.TempDir, Name: "grows", URI: "/file/1", Token: "the token", Detail: true, Grows: true})
	must(t, err)
	if r.OK || r.Why != wire.WhyNoSpace || !strings.Contains(r.Msg, "temporary") {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(filepath.Dir(other.Dir)); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	// One that was never run makes room in the end.
	must(t, os.Truncate(other.Dir, 1<<30))
	old := time.Now().Add(-16 * 24 * time.Hour)
	must(t, os.Chtimes(other.Dir, old, old))
	if r := put(1, block.Encode([]byte("x"))); !r.OK {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(other.Dir); !os.IsNotExist(err) {
		t.Errorf("the old one is there: %v", err)
	}
}

// What the host's policy does not allow does not happen, and nothing of it is guessed at; an edit holds at once.
func TestPolicy(t *testing.T) {
	f := start(t, "exec.enabled = true\nexec.allow = echo\nexec.timeout = 1s\nexec.output = 5\n", nil)
	for _, q := range []wire.ExecPayload{
		{Cmd: "echo x; id"}, {Cmd: "id"}, {Cmd: "echo", Env: []string{"LD_PRELOAD=x"}}, {Cmd: "echo", User: "nobody"},
		{Cmd: "sh", Args: []string{"-c", "id"}},
	} {
		q.Detail = true
		if e := f.run(t, q); e.start.OK || e.start.Why != wire.WhyPolicy || !strings.Contains(e.start.Msg, f.policy) {
			t.Errorf("%+v: %+v", q, e)
		}
	}
	if e := f.run(t, wire.ExecPayload{Cmd: "echo", Args: []string{"x"}}); e.out != "x\n" {
		t.Errorf("%+v", e)
	}
	put(t, f.policy, "exec.enabled = true\nexec.allow = *\nexec.timeout = 1s\nexec.output = 5\n")
	e := f.run(t, wire.ExecPayload{Cmd: "echo 123456789; sleep 1000", Timeout: 1000, Detail: true})
	if e.out != "12345\n[5 bytes of output are left out]\n" || e.done.Cut != 5 || e.done.Why != wire.WhyTimeout {
		t.Errorf("%+v", e)
	}
	must(t, os.Remove(f.policy))
	for _, q := range []wire.ExecPayload{{Cmd: "echo"}, {Cmd: "no-such-command"}} {
		q.Detail = true
		if e := f.run(t, q); e.start.OK || e.start.Why != wire.WhyPolicy || !strings.Contains(e.start.Msg, "policy init") {
			t.Errorf("%+v", e)
		}
	}
}

// A kill ends all of a command, and nothing that the server has not started.
func TestKill(t *testing.T) {
	f := start(t, all, nil)
	task := agenttest.Send(f.s, wire.Exec, wire.ExecPayload{Cmd: "setsid sleep 1000 & echo $!; wait", Detail: true})
	begun, err := agenttest.Reply(f.s, task, wire.Execd)
	must(t, err)
	first, err := agenttest.Reply(f.s, task, wire.ExecData)
	must(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(string(first.Data)))
	must(t, err)
	agenttest.Send(f.s, wire.ExecKill, wire.ExecKillPayload{PID: os.Getpid()}) // which is not there for it
	agenttest.Send(f.s, wire.ExecKill, wire.ExecKillPayload{PID: begun.PID})
	var e ended
	if e.finish(t, f.s, task); e.done.Code != -1 || e.done.Why != wire.WhyKilled {
		t.Errorf("%+v", e.done)
	}
	for begin := time.Now(); time.Since(begin) < 5*time.Minute; time.Sleep(10 * time.Millisecond) { // not until it ends by itself
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Error("its child is alive")
}

// Old servers get what they know, and nothing else.
func TestOldServer(t *testing.T) {
	f := start(t, all, &agenttest.Options{Old: true})
	e := f.run(t, wire.ExecPayload{Cmd: "sleep 1000", Timeout: 1})
	if e.done.Code != -1 || e.done.Why != "" || e.done.Signal != "" {
		t.Errorf("%+v", e.done)
	}
	if e = f.run(t, wire.ExecPayload{Cmd: "no-such-command"}); e.start.OK || e.start.Why != "" || e.start.Msg == "" {
		t.Errorf("%+v", e.start)
	}
}

// All the output comes, and before the end, a hundred times. What a command writes without end is cut and does not fill memory.
func TestOutput(t *testing.T) {
	f := start(t, all, nil)
	var want strings.Builder
	for i := range 200_000 {
		fmt.Fprintln(&want, i+1)
	}
	times := 100
	if testing.Short() {
		times = 5
	}
	for range times {
		if e := f.run(t, wire.ExecPayload{Cmd: "seq 1 200000"}); e.out != want.String() {
			t.Fatalf("%d bytes of %d", len(e.out), want.Len())
		}
	}
	put(t, f.policy, all+"exec.output = 100000\n")
	e := f.run(t, wire.ExecPayload{Cmd: "yes", Timeout: 2, Detail: true})
	if len(e.out) > 100_100 || e.done.Cut < 1<<20 || !strings.HasSuffix(e.out, "bytes of output are left out]\n") {
		t.Errorf("%d bytes, %+v", len(e.out), e.done)
	}
}

// The output of a command that has ended leaves its room on the disk to those that run, but for what may have to be sent again.
func TestOutputGivesBackRoom(t *testing.T) {
	f := start(t, all, nil)
	probe, err := os.Create(f.dir + "/probe")
	must(t, err)
	defer probe.Close()
	if err := unix.Fallocate(int(probe.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096); err != nil {
		t.Skipf("SKIP: the file system gives back nothing of a file: %v", err)
	}
	e := f.run(t, wire.ExecPayload{Cmd: "head -c 20000000 /dev/zero", Detail: true})
	if len(e.out) != 20_000_000 {
		t.Fatalf("%d bytes", len(e.out))
	}
	room := func() (n int64) {
		found, err := filepath.Glob(f.dir + "/data/output/*.buf")
		must(t, err)
		for _, name := range found {
			var st syscall.Stat_t
			must(t, syscall.Stat(name, &st))
			n += st.Blocks * 512
		}
		return n
	}
	for room() > 18_000_000 {
		time.Sleep(10 * time.Millisecond)
	}
	if room() < 8<<20 {
		t.Error("there is nothing to be sent again: nothing is tested")
	}
}

// A command that comes to its turn when the server has given it up does not run behind everybody's back.
func TestTurnTooLate(t *testing.T) {
	f := start(t, all+"exec.at_once = 1\n", nil)
	pipe := filepath.Join(f.dir, "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	first := agenttest.Send(f.s, wire.Exec, wire.ExecPayload{Cmd: "cat", Args: []string{pipe}})
	late := agenttest.Send(f.s, wire.Exec, wire.ExecPayload{Cmd: "touch", Args: []string{f.dir + "/late"}, Timeout: 1, Detail: true})
	patient := agenttest.Send(f.s, wire.Exec, wire.ExecPayload{Cmd: "echo", Args: []string{"in time"}, Timeout: 600})
	var e ended
	var err error
	e.start, err = agenttest.Reply(f.s, first, wire.Execd)
	must(t, err)
	_, err = agenttest.Call(f.s, wire.Ls, wire.LsRequest{Dir: f.dir}) // the agent has what came before
	must(t, err)
	time.Sleep(1100 * time.Millisecond)
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	must(t, err)
	must(t, w.Close())
	e.finish(t, f.s, first)
	if r, err := agenttest.Reply(f.s, late, wire.Execd); err != nil || r.OK || r.Why != wire.WhyBusy || !strings.Contains(r.Msg, "waited") {
		t.Errorf("%+v, %v", r, err)
	}
	if e := follow(t, f.s, patient); e.out != "in time\n" {
		t.Errorf("%+v", e)
	}
	if _, err := os.Stat(f.dir + "/late"); err == nil {
		t.Error("it has run")
	}
}

// A script is put where the server asks for, run, and removed; a file that the command does not name stays.
func TestScript(t *testing.T) {
	f := start(t, "exec.enabled = true\nexec.allow = sh\n", nil)
	up, err := agenttest.Call(f.s, wire.Upload, wire.UploadRequest{Dir: wire.TempDir, Name: "s.sh", Size: 13, Mode: 0o644, Data: "$0$"})
	must(t, err)
	if up.OK {
		t.Errorf("%+v: nothing was sent", up)
	}
	up, err = agenttest.Call(f.s, wire.Upload, wire.UploadRequest{Dir: wire.TempDir, Name: "s.sh", Size: 14, Mode: 0o644, Data: "$0$ZWNobyBzY3JpcHQgJDE="})
	must(t, err)
	if !up.OK || !strings.HasPrefix(up.Dir, filepath.Join(f.dir, "data")) {
		t.Fatalf("%+v", up)
	}
	e := f.run(t, wire.ExecPayload{Cmd: "sh", Args: []string{up.Dir, "one"}, DeferRM: up.Dir})
	if e.out != "script one\n" {
		t.Errorf("%+v", e)
	}
	if _, err := os.Stat(up.Dir); !os.IsNotExist(err) {
		t.Errorf("the script is there: %v", err)
	}
	put(t, f.dir+"/mine", "x")
	f.run(t, wire.ExecPayload{Cmd: "sh", Args: []string{"-c", ":", f.dir + "/mine"}, DeferRM: f.dir + "/mine"})
	if _, err := os.Stat(f.dir + "/mine"); err != nil {
		t.Errorf("a file was removed that the policy does not let write: %v", err)
	}
}

// Every order and its result is on record, and no password is.
func TestAudit(t *testing.T) {
	f := start(t, all, nil)
	f.run(t, wire.ExecPayload{Cmd: "echo", Args: []string{"done"}, User: "root", Auth: "su", Pass: "the secret"})
	f.run(t, wire.ExecPayload{Cmd: "no-such-command"})
	if _, err := agenttest.Call(f.s, wire.Ls, wire.LsRequest{Dir: "/etc"}); err != nil {
		t.Error(err)
	}
	must(t, f.agent.Stop())
	log := f.audit.String()
	for _, want := range []string{`"msg":"exec"`, `"args":["done"]`, `"msg":"exec done"`, `"code":0`, `"msg":"exec refused"`, `"why":"not_found"`, `"msg":"ls"`, `"dir":"/etc"`} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in %s", want, log)
		}
	}
	if strings.Contains(log+f.agent.Log(), "secret") {
		t.Error("the password is on record")
	}
}

// A connection that is lost in the middle takes nothing with it: the command goes on, and its output and its end come over the
// next one.
func TestConnectionLost(t *testing.T) {
	f := start(t, all, nil)
	gate := f.dir + "/gate"
	task := agenttest.Send(f.s, wire.Exec, wire.ExecPayload{Cmd: "echo before; while ! test -e " + gate + "; do sleep 0.02; done; seq 1 1000"})
	if _, err := agenttest.Reply(f.s, task, wire.Execd); err != nil {
		t.Fatal(err)
	}
	if p, err := agenttest.Reply(f.s, task, wire.ExecData); err != nil || string(p.Data) != "before\n" {
		t.Fatal(p, err)
	}
	f.Down(true)
	f.s.Drop()
	put(t, gate, "")
	for !strings.Contains(f.audit.String(), "exec done") {
		time.Sleep(5 * time.Millisecond)
	}
	f.Down(false)
	var e ended
	if e.finish(t, f.Accept(), task); e.done.Code != 0 || !strings.HasSuffix(e.out, "\n999\n1000\n") || strings.Count(e.out, "\n") != 1000 {
		t.Errorf("%d lines, %+v", strings.Count(e.out, "\n"), e.done)
	}
}

// merged is what a server of ours makes of what comes, some of it twice.
func merged(t *testing.T, s *agenttest.Session, task string, have string) (string, wire.ExecDonePayload) {
	t.Helper()
	for {
		f, err := s.Next()
		must(t, err)
		switch f.Type {
		case wire.ExecData.Type():
			p, err := wire.ExecData.Decode(f)
			must(t, err)
			if n := uint64(len(have)); *p.Offset <= n && n-*p.Offset < uint64(len(p.Data)) {
				have += string(p.Data[n-*p.Offset:])
			}
		case wire.ExecDone.Type():
			p, err := wire.ExecDone.Decode(f)
			must(t, err)
			if p.Size <= uint64(len(have)) {
				return have, p
			}
		}
	}
}

// firstOutput is the first that comes of a command. What comes before may come twice: an agent that has only just connected says
// again what runs.
func firstOutput(t *testing.T, s *agenttest.Session) []byte {
	t.Helper()
	for {
		f, err := s.Next()
		must(t, err)
		if f.Type == wire.ExecData.Type() {
			p, err := wire.ExecData.Decode(f)
			must(t, err)
			return p.Data
		}
	}
}

// What was on its way when the network went away is not lost either, with servers of ours, whether the command has ended
// meanwhile or not.
func TestNothingIsLost(t *testing.T) {
	for name, more := range map[string]string{"ended": "", "runs": "; while ! test -e $GATE.2; do sleep 0.02; done; echo three"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a network that has gone silent is noticed after half a minute
			f := start(t, all, nil)
			gate := f.dir + "/gate"
			task := agenttest.Send(f.s, wire.Exec, wire.ExecPayload{
				Cmd: "echo one; while ! test -e $GATE; do sleep 0.02; done; seq 1 10000; touch $GATE.done" + more, Env: []string{"GATE=" + gate}, Detail: true,
			})
			if _, err := agenttest.Reply(f.s, task, wire.Execd); err != nil {
				t.Fatal(err)
			}
			first := firstOutput(t, f.s)
			f.Freeze(true)
			put(t, gate, "")
			for ; ; time.Sleep(5 * time.Millisecond) {
				if _, err := os.Stat(gate + ".done"); err == nil && (more != "" || strings.Contains(f.audit.String(), "exec done")) {
					break
				}
			}
			f.s.Drop()
			f.Freeze(false)
			s := f.Accept()
			put(t, gate+".2", "")
			var want strings.Builder
			want.WriteString("one\n")
			for i := range 10_000 {
				fmt.Fprintln(&want, i+1)
			}
			if more != "" {
				want.WriteString("three\n")
			}
			out, done := merged(t, s, task, string(first))
			if out != want.String() || done.Code != 0 || done.Size != uint64(want.Len()) {
				t.Errorf("%d bytes of %d, %+v", len(out), want.Len(), done)
			}
		})
	}
}

// An agent that stops tells how its commands have ended.
func TestStop(t *testing.T) {
	f := start(t, all, nil)
	task := agenttest.Send(f.s, wire.Exec, wire.ExecPayload{Cmd: "trap '' TERM; echo on; while :; do sleep 0.05; done", Detail: true})
	_, err := agenttest.Reply(f.s, task, wire.Execd)
	must(t, err)
	_, err = agenttest.Reply(f.s, task, wire.ExecData)
	must(t, err)
	must(t, f.agent.Stop())
	var e ended
	if e.finish(t, f.s, task); e.done.Code != -1 || e.done.Why != wire.WhyStopped {
		t.Errorf("%+v", e.done)
	}
}
