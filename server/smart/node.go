package smart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
)

// maxVariable is how much output of a command a variable takes, maxVariables how much those of a node take together, in bytes: each
// further command gets them all, and no system takes more.
const (
	maxVariable  = 64 << 10
	maxVariables = 1 << 20
)

// play is a script that runs on nodes.
type play struct {
	*Dialect
	script     *script
	archive    *archive
	user, pass string
	deadline   time.Time // zero for none
}

// node is one agent that the script runs on.
type node struct {
	*play
	id    string
	vars  map[string]string
	taken int // bytes that commands have put into vars
}

// node makes the node at a place of the list.
func (p *play) node(id string, i int) *node {
	n := &node{play: p, id: id, vars: map[string]string{
		"ID": id, "IDX": strconv.Itoa(i), "EVEN": strconv.FormatBool(i%2 == 0), "ODD": strconv.FormatBool(i%2 == 1), "DEADLINE": "0",
	}}
	if !p.deadline.IsZero() {
		n.vars["DEADLINE"] = strconv.FormatInt(p.deadline.Unix(), 10)
	}
	return n
}

// run does all tasks, up to the first that fails.
func (n *node) run(ctx context.Context) error {
	if !n.deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, n.deadline)
		defer cancel()
	}
	for i := range n.script.Tasks {
		t := &n.script.Tasks[i]
		if !t.when.holds(n.value) {
			continue
		}
		if err := n.do(ctx, t); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				err = errors.New("timeout")
			}
			return fmt.Errorf("task %d (%q): %w", i+1, t.Name, err)
		}
	}
	return nil
}

func (n *node) value(name string) (string, bool) {
	v, ok := n.vars[name]
	return v, ok
}

func (n *node) do(ctx context.Context, t *task) error {
	if t.Plugin == pluginExec {
		return n.exec(ctx, t)
	}
	ctx, cancel := context.WithTimeout(ctx, t.time(files.DefaultDownloadTime))
	defer cancel()
	src, err := expand(t.Src, n.value)
	if err != nil {
		return err
	}
	dst, err := expand(t.Dst, n.value)
	if err != nil {
		return err
	}
	if t.Action == actionPull {
		return n.pull(ctx, src, dst)
	}
	return n.push(ctx, t, src, dst)
}

// exec runs a command line, which has the variables in its environment.
func (n *node) exec(ctx context.Context, t *task) error {
	q := exec.Request{Cmd: t.Cmd, Auth: t.Auth, Timeout: t.time(exec.DefaultTimeout)}
	if t.Auth != "" {
		q.User, q.Pass = n.user, n.pass
	}
	for name, v := range n.vars {
		if !strings.ContainsRune(v, 0) {
			q.Env = append(q.Env, name+"="+v)
		}
	}
	run, err := n.commands.Run(ctx, n.id, q)
	if err != nil {
		return err
	}
	if t.Output == "" {
		return nil
	}
	out, err := run.Bytes(maxVariable)
	if err != nil {
		return err
	}
	n.taken += len(out)
	if n.taken > maxVariables {
		return fmt.Errorf("output: all together are more than %d bytes", maxVariables)
	}
	n.vars[t.Output] = strings.TrimSpace(string(out))
	return nil
}

// push writes a file on the agent's host: one of the tar, or one of the server's folders for that.
func (n *node) push(ctx context.Context, t *task, src, dst string) error {
	at := max(strings.LastIndexByte(dst, '/'), strings.LastIndexByte(dst, '\\'))
	u := files.Upload{Dir: dst[:max(at, 1)], Name: dst[at+1:], Auth: t.Auth, Mode: 0o644}
	if t.Auth != "" {
		u.User, u.Pass = n.user, n.pass
	}
	if !filepath.IsAbs(src) {
		m := n.archive.files[cleanName(src)]
		if m == nil {
			return fmt.Errorf("%q is not in the tar", src)
		}
		u.Content = m
		_, err := n.files.Upload(ctx, n.id, u)
		return err
	}
	f, err := openWithin(n.settings.Push, src)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is no regular file", src)
	}
	u.Content = newMember(io.NewSectionReader(f, 0, info.Size()))
	_, err = n.files.Upload(ctx, n.id, u)
	return err
}

// openWithin opens a file that lies within one of the folders.
func openWithin(dirs []string, file string) (*os.File, error) {
	root, name, err := rootOf(dirs, file)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() { // opening a pipe would wait
		return nil, errors.Join(err, notRegular(info, file))
	}
	return root.Open(name)
}

func notRegular(info fs.FileInfo, file string) error {
	if info == nil {
		return nil
	}
	return fmt.Errorf("%q is no regular file", file)
}

// rootOf opens the folder that a file shall lie in, and returns the file's name within. No link leads out of it.
func rootOf(dirs []string, file string) (*os.Root, string, error) {
	for _, dir := range dirs {
		name, err := filepath.Rel(dir, filepath.Clean(file))
		if err == nil && filepath.IsLocal(name) && name != "." {
			root, err := os.OpenRoot(dir)
			return root, name, err
		}
	}
	return nil, "", fmt.Errorf("%q is in none of the folders that the server's config allows", file)
}
