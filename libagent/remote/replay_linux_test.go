package remote_test

import (
	"crypto/md5"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// fieldDir is where the recorded host had its files.
const fieldDir = "/opt/exec-agent"

// recordings is where all are.
const recordings = "../../wire/testdata/recorded/"

// recorded are the frames of a recording: of the server and of its agent of the field.
func recorded(t *testing.T, name, dir string) (requests, replies []*wire.Frame) {
	t.Helper()
	for line := range strings.Lines(string(read(t, recordings+name+".jsonl"))) {
		var entry struct {
			Dir   string
			Frame json.RawMessage
		}
		must(t, json.Unmarshal([]byte(line), &entry))
		if len(entry.Frame) == 0 {
			continue
		}
		frame, err := wire.Parse([]byte(strings.ReplaceAll(string(entry.Frame), fieldDir, dir)))
		must(t, err)
		if entry.Dir == "s2a" {
			requests = append(requests, frame)
		} else {
			replies = append(replies, frame)
		}
	}
	return requests, replies
}

// summary is what a server makes of the answers to one request, whatever the number and the order of its pieces.
type summary struct {
	started bool
	out     string
	code    int64
	ended   bool
}

func summarize(t *testing.T, task string, frames []*wire.Frame) (s summary) {
	t.Helper()
	for _, f := range frames {
		if f.Task != task {
			continue
		}
		switch f.Type {
		case wire.Execd.Type():
			p, err := wire.Execd.Decode(f)
			must(t, err)
			s.started = p.OK
		case wire.ExecData.Type():
			p, err := wire.ExecData.Decode(f)
			must(t, err)
			s.out += string(p.Data)
		case wire.ExecDone.Type():
			p, err := wire.ExecDone.Decode(f)
			must(t, err)
			s.code, s.ended = p.Code, true
		}
	}
	s.out = strings.ReplaceAll(s.out, "\r\n", "\n")
	return s
}

// differs lists recordings whose agent does what this one does better, with what this one does.
func differs() map[string]summary {
	return map[string]summary{
		"exec-run-args-unquoted":         {started: true, out: `a  b $HOME "q" ; id` + "\n", ended: true},                // a list stays a list
		"exec-run-background":            {started: true, out: "now\n", ended: true},                                     // lost there
		"exec-run-utf8-2byte":            {started: true, out: "café", ended: true},                                      // taken for GBK there
		"exec-run-stdin":                 {started: true, out: "rc=0\n", ended: true},                                    // a terminal there
		"exec-run-unknown-command":       {},                                                                             // told as what it is
		"exec-fatal-exec-truncated-utf8": {started: true, out: "\xe4\xbd", ended: true},                                  // ended the agent there
		"exec-run-workdir":               {started: true, ended: true},                                                   // the folder is the test's
		"exec-run-su-user":               {started: true, out: "nobody\n", ended: true},                                  // the user is the test's
		"exec-run-sudo-user":             {started: true, out: "nobody\n", ended: true},                                  // root needs no sudo
		"exec-run-su-unknown-user":       {},                                                                             // told as what it is
		"exec-run-tty":                   {started: true, out: "/dev/pts/\r\n0 0\r\n\r\n" + uid() + "\r\n", ended: true}, // number and user are the test's
	}
}

func uid() string { return strconv.Itoa(os.Geteuid()) }

// prepare makes of the test's host what the recorded one was.
func prepare(t *testing.T, f *fixture, name string, p *wire.ExecPayload) {
	t.Helper()
	switch name {
	case "exec-run-workdir":
		must(t, os.MkdirAll(p.WorkDir, 0o755))
	case "exec-run-gbk-file":
		must(t, os.MkdirAll(filepath.Join(f.dir, "data"), 0o755))
		put(t, filepath.Join(f.dir, "data", "gbk.txt"), "\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7\n")
	case "exec-run-su-user", "exec-run-sudo-user":
		if os.Geteuid() != 0 {
			t.Skip("SKIP: not root")
		}
		p.User = "nobody"
	case "exec-tz-shanghai-exec-run":
		p.Env = append(p.Env, "TZ=CST-8")
	case "exec-run-tty": // agents of the field always give a terminal, this one when asked for it
		p.PTY = true
		p.Cmd = strings.Replace(p.Cmd, "tty;", "tty | tr -d 0-9;", 1)
		p.Env = append(p.Env, "TERM=")
	}
}

// What a server of the field asks is done as its own agents do it, as far as those are right.
func TestRecordedCommands(t *testing.T) {
	files, err := filepath.Glob(recordings + "exec-run-*.jsonl")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	names := []string{
		"exec-fatal-exec-truncated-utf8", "exec-async-run", "exec-async2-run", "exec-async-timeout-run", "exec-jam-next",
		"exec-tz-shanghai-exec-run",
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".jsonl"))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, all, &agenttest.Options{Old: true})
			requests, replies := recorded(t, name, f.dir)
			for _, q := range requests {
				if q.Type != wire.Exec.Type() {
					continue
				}
				p, err := wire.Exec.Decode(q)
				must(t, err)
				want, special := differs()[name]
				if !special {
					want = summarize(t, q.Task, replies)
				}
				prepare(t, f, name, &p)
				if name == "exec-run-workdir" {
					want.out = p.WorkDir + "\n"
				}
				agenttest.SendTask(f.s, q.Task, wire.Exec, p)
				if got := summaryOf(follow(t, f.s, q.Task)); got != want {
					t.Errorf("%q: got %+v, want %+v", p.Cmd, got, want)
				}
			}
		})
	}
}

func summaryOf(e ended) summary {
	return summary{e.start.OK, e.out, e.done.Code, !e.done.Time.IsZero()}
}

// A kill of a server of the field ends what it ended there, and a second one harms nobody.
func TestRecordedKills(t *testing.T) {
	for _, name := range []string{"exec-kill", "exec-killsh"} {
		f := start(t, all, &agenttest.Options{Old: true})
		requests, replies := recorded(t, name+"-run", f.dir)
		p, err := wire.Exec.Decode(requests[0])
		must(t, err)
		kills, _ := recorded(t, name, f.dir)
		kill, err := wire.ExecKill.Decode(kills[0])
		must(t, err)
		task := requests[0].Task
		agenttest.SendTask(f.s, task, wire.Exec, p)
		var e ended
		e.start, err = agenttest.Reply(f.s, task, wire.Execd)
		must(t, err)
		if name == "exec-kill" { // once it has begun
			first, err := agenttest.Reply(f.s, task, wire.ExecData)
			must(t, err)
			e.out = string(first.Data)
		}
		kill.PID = e.start.PID
		agenttest.SendTask(f.s, kills[0].Task, wire.ExecKill, kill)
		e.finish(t, f.s, task)
		if got, want := summaryOf(e), summarize(t, task, replies); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		agenttest.SendTask(f.s, kills[0].Task, wire.ExecKill, kill)
		if e := f.run(t, wire.ExecPayload{Cmd: "echo on"}); e.out != "on\n" {
			t.Errorf("%s: afterwards: %+v", name, e)
		}
	}
}

// Scripts of a server of the field run as its own agents run them, and are gone afterwards.
func TestRecordedScripts(t *testing.T) {
	for name, want := range map[string]summary{
		"sh":              {started: true, ended: true},
		"bash":            {started: true, ended: true},
		"python3-exit2":   {started: true, code: 2, ended: true},
		"lua-missing":     {}, // told as what it is
		"timeout":         {started: true, out: "a\n", code: -1, ended: true},
		"noargs-empty":    {started: true, ended: true},
		"empty-file":      {started: true, ended: true}, // was not there
		"workdir-missing": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, all, &agenttest.Options{Old: true})
			requests, _ := recorded(t, "exec-script-"+name, f.dir)
			up, err := wire.Upload.Request.Decode(requests[0])
			must(t, err)
			r, err := agenttest.Call(f.s, wire.Upload, up)
			if err != nil || !r.OK {
				t.Fatal(r, err)
			}
			p, err := wire.Exec.Decode(requests[1])
			must(t, err)
			if _, err := exec.LookPath(p.Cmd); (err == nil) == (p.Cmd == "lua") {
				t.Skip("SKIP: not as on the recorded host: ", p.Cmd, err)
			}
			for i, arg := range p.Args {
				if strings.HasSuffix(arg, up.Name) {
					p.Args[i] = r.Dir // as its server takes it from the reply
				}
			}
			p.DeferRM = r.Dir
			e := f.run(t, p)
			if name == "sh" || name == "bash" || name == "python3-exit2" { // the rest is the host's
				if part := map[string]string{"sh": "\nargs: one two three\nenv: v 1\n", "bash": "", "python3-exit2": "py 3 ['a']\n"}[name]; !strings.Contains(e.out, part) || e.out == "" {
					t.Errorf("output %q, want %q", e.out, part)
				}
				e.out = ""
			}
			if got := summaryOf(e); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if _, err := os.Stat(r.Dir); want.started && !os.IsNotExist(err) {
				t.Errorf("%q is there: %v", r.Dir, err)
			}
		})
	}
}

// Files that a server of the field uploads are what it sent; what it asks for is answered as its own agents do.
func TestRecordedFiles(t *testing.T) {
	files, err := filepath.Glob(recordings + "exec-file-*.jsonl")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	files = append(files, recordings+"exec-tz-shanghai-ls.jsonl")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, all, &agenttest.Options{Old: true})
			requests, replies := recorded(t, name, f.dir)
			for _, q := range requests {
				switch q.Type {
				case wire.Upload.Request.Type():
					replayUpload(t, f, q)
				case wire.Download.Type():
					replayDownload(t, f, q, replies)
				case wire.Ls.Request.Type():
					replayLs(t, f, q, replies)
				}
			}
		})
	}
}

func replayUpload(t *testing.T, f *fixture, q *wire.Frame) {
	t.Helper()
	p, err := wire.Upload.Request.Decode(q)
	must(t, err)
	if p.URI != "" {
		t.Skip("SKIP: it is fetched, which takes a server that is more than a test's")
	}
	if strings.HasSuffix(filepath.Dir(p.Dir), ".txt") { // where a file is
		must(t, os.MkdirAll(filepath.Dir(filepath.Dir(p.Dir)), 0o755))
		put(t, filepath.Dir(p.Dir), "")
	}
	r, err := agenttest.Call(f.s, wire.Upload, p)
	must(t, err)
	if p.OwnUser == "nosuchuser" || strings.HasSuffix(filepath.Dir(p.Dir), ".txt") { // the first is a mistake that was not told there
		if _, err := os.Stat(filepath.Join(p.Dir, p.Name)); r.OK || r.Msg == "" || err == nil {
			t.Errorf("%+v, %v", r, err)
		}
		return
	}
	if got := read(t, r.Dir); !r.OK || md5.Sum(got) != p.MD5 || uint64(len(got)) != p.Size {
		t.Errorf("%+v: %d bytes", r, len(got))
	}
}

// replayDownload gives the host the file that the recorded one had.
func replayDownload(t *testing.T, f *fixture, q *wire.Frame, replies []*wire.Frame) {
	t.Helper()
	p, err := wire.Download.Decode(q)
	must(t, err)
	var want wire.DownloadInfoPayload
	var data []byte
	for _, r := range replies {
		switch r.Type {
		case wire.DownloadInfo.Type():
			want, err = wire.DownloadInfo.Decode(r)
			must(t, err)
		case wire.DownloadData.Type():
			d, err := wire.DownloadData.Decode(r)
			must(t, err)
			b, err := block.Decode(d.Data, 1<<20)
			must(t, err)
			data = append(data, b...)
		}
	}
	if kept := len(data); uint64(kept) < want.Size { // not all was kept, since chance cannot be compressed: what comes after it is other chance
		data = append(data, make([]byte, want.Size-uint64(kept))...)
		_, _ = rand.NewChaCha8([32]byte{}).Read(data[kept:]) // never fails
		want.MD5 = md5.Sum(data)
	}
	if p.Dir != "" {
		must(t, os.MkdirAll(filepath.Dir(p.Dir), 0o755))
	}
	if want.OK {
		must(t, os.WriteFile(p.Dir, data, 0o600))
	} else if strings.Contains(want.Msg, "directory") && !strings.Contains(want.Msg, "no such") {
		must(t, os.MkdirAll(p.Dir, 0o755))
	}
	agenttest.SendTask(f.s, q.Task, wire.Download, p)
	info, got, failure := collect(t, f.s, q.Task)
	if info.OK != want.OK || info.Size != want.Size || info.MD5 != want.MD5 || info.BlockSize != want.BlockSize || string(got) != string(data) || failure != "" {
		t.Errorf("%+v, %d bytes, %q; want %+v", info, len(got), failure, want)
	}
}

func replayLs(t *testing.T, f *fixture, q *wire.Frame, replies []*wire.Frame) {
	t.Helper()
	p, err := wire.Ls.Request.Decode(q)
	must(t, err)
	var want wire.LsReply
	for _, r := range replies {
		if r.Type == wire.Ls.Reply.Type() {
			want, err = wire.Ls.Reply.Decode(r)
			must(t, err)
		}
	}
	if want.OK {
		must(t, os.MkdirAll(p.Dir, 0o755))
	} else if strings.Contains(want.Msg, "not a directory") {
		must(t, os.MkdirAll(filepath.Dir(p.Dir), 0o755))
		put(t, p.Dir, "")
	}
	for _, e := range want.Files {
		path := filepath.Join(p.Dir, e.Name)
		switch {
		case e.LinkDir != "":
			must(t, os.Symlink(e.LinkDir, path))
		case e.IsLink:
			must(t, os.Symlink("nowhere", path))
		case e.Mode.IsDir():
			must(t, os.Mkdir(path, 0o755))
		case e.Mode.IsRegular():
			put(t, path, "")
			must(t, os.Truncate(path, int64(e.Size)))
		}
	}
	r, err := agenttest.Call(f.s, wire.Ls, p)
	must(t, err)
	if r.OK != want.OK || r.Dir != want.Dir {
		t.Fatalf("%+v, want %+v", r, want)
	}
	byName := make(map[string]wire.FileInfo)
	for _, e := range r.Files {
		byName[e.Name] = e
	}
	for _, e := range want.Files {
		got, ok := byName[e.Name]
		if !e.Mode.IsRegular() && !e.Mode.IsDir() && !e.IsLink {
			continue // a pipe was not made
		}
		if !ok || got.Mode.Type() != e.Mode.Type() || got.IsLink != e.IsLink || got.LinkDir != e.LinkDir || e.Mode.IsRegular() && got.Size != e.Size {
			t.Errorf("got %+v, want %+v", got, e)
		}
	}
}
