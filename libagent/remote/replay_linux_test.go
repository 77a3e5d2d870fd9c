package remote_test

import (
	"crypto/md5"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/block"
)

// fieldDir is where the recorded host had its files.
const fieldDir = "/opt/exec-agent"

// recorded are the frames of a recording: of the server and of its agent of the field.
func recorded(t *testing.T, file, dir string) (requests, replies []*wire.Frame) {
	t.Helper()
	for line := range strings.Lines(string(read(t, file))) {
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
			s.out += strings.ReplaceAll(string(p.Data), "\r\n", "\n")
		case wire.ExecDone.Type():
			p, err := wire.ExecDone.Decode(f)
			must(t, err)
			s.code, s.ended = p.Code, true
		}
	}
	return s
}

// differs lists recordings whose agent does what this one does better, with what this one does.
func differs() map[string]summary {
	return map[string]summary{
		"exec-run-args-unquoted":         {started: true, out: `a  b $HOME "q" ; id` + "\n", ended: true}, // a list stays a list
		"exec-run-background":            {started: true, out: "now\n", ended: true},                      // lost there
		"exec-run-utf8-2byte":            {started: true, out: "café", ended: true},                       // taken for GBK there
		"exec-run-stdin":                 {started: true, out: "rc=0\n", ended: true},                     // a terminal there
		"exec-run-unknown-command":       {},                                                              // told as what it is
		"exec-fatal-exec-truncated-utf8": {started: true, out: "\xe4\xbd", ended: true},                   // ended the agent there
		"exec-run-workdir":               {started: true, ended: true},                                    // the folder is the test's
	}
}

// What a server of the field asks is done as its own agents do it, as far as those are right.
func TestRecordedCommands(t *testing.T) {
	files, err := filepath.Glob("testdata/field/exec-run-*.jsonl")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for _, file := range append(files, "testdata/field/exec-fatal-exec-truncated-utf8.jsonl") {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, all, &agenttest.Options{Old: true})
			requests, replies := recorded(t, file, f.dir)
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
				if p.WorkDir != "" && name == "exec-run-workdir" {
					must(t, os.MkdirAll(p.WorkDir, 0o755))
					want.out = p.WorkDir + "\n"
				}
				agenttest.SendTask(f.s, q.Task, wire.Exec, p)
				e := follow(t, f.s, q.Task)
				got := summary{e.start.OK, e.out, e.done.Code, !e.done.Time.IsZero()}
				if got != want {
					t.Errorf("%q: got %+v, want %+v", p.Cmd, got, want)
				}
			}
		})
	}
}

// Scripts of a server of the field run, and are gone afterwards.
func TestRecordedScripts(t *testing.T) {
	for file, want := range map[string]string{"exec-script-sh": "args: one two three\nenv: v 1\n", "exec-script-bash": ""} {
		f := start(t, all, &agenttest.Options{Old: true})
		requests, _ := recorded(t, filepath.Join("testdata/field", file+".jsonl"), f.dir)
		var path, was string
		for _, q := range requests {
			switch q.Type {
			case wire.Upload.Request.Type():
				p, err := wire.Upload.Request.Decode(q)
				must(t, err)
				r, err := agenttest.Call(f.s, wire.Upload, p)
				if err != nil || !r.OK {
					t.Fatal(r, err)
				}
				path, was = r.Dir, p.Name
			case wire.Exec.Type():
				p, err := wire.Exec.Decode(q)
				must(t, err)
				if p.Cmd == "bash" {
					if _, err := os.Stat("/bin/bash"); err != nil {
						t.Skip("SKIP: no bash")
					}
				}
				for i, arg := range p.Args {
					if strings.HasSuffix(arg, was) {
						p.Args[i] = path // as its server takes it from the reply
					}
				}
				p.DeferRM = path
				e := f.run(t, p)
				if !e.start.OK || e.done.Code != 0 || !strings.Contains(e.out, want) {
					t.Errorf("%s: %+v", file, e)
				}
			}
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) || path == "" {
			t.Errorf("%s: %q is there: %v", file, path, err)
		}
	}
}

// Files that a server of the field uploads are what it sent; what it asks for is answered as its own agents do.
func TestRecordedFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/field/exec-file-*.jsonl")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			f := start(t, all, &agenttest.Options{Old: true})
			requests, replies := recorded(t, file, f.dir)
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
	r, err := agenttest.Call(f.s, wire.Upload, p)
	must(t, err)
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
	must(t, os.MkdirAll(filepath.Dir(p.Dir), 0o755))
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
