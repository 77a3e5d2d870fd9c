package release

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say what is packed. The zero value packs every program of the working directory for every target into release/.
type Options struct {
	Root     string    // of the source tree. By default, the working directory.
	Out      string    // folder of the release; what it held before is removed. By default, release below Root.
	Version  string    // with or without its v. By default, the topmost of CHANGELOG.md.
	Targets  []Target  // By default, all.
	Programs string    // names, joined by commas. By default, all.
	Archives bool      // archives only. By default, programs for Linux are packed as deb and rpm too.
	Log      io.Writer // one line for each archive. By default, nothing is said.
}

// Run packs a release. The folder of the release is replaced when all of it is there, so that a failure leaves the old one.
// The error of a build carries what the go command said.
func Run(ctx context.Context, o Options) error {
	plan, err := newPlan(ctx, o)
	if err != nil {
		return err
	}
	defer os.RemoveAll(plan.work)
	if err := plan.archives(ctx); err != nil {
		return err
	}
	if err := plan.papers(); err != nil {
		return err
	}
	if err := writeSums(plan.stage); err != nil {
		return fmt.Errorf("checksums: %w", err)
	}
	if err := os.RemoveAll(plan.out); err != nil {
		return err
	}
	return os.Rename(plan.stage, plan.out)
}

// plan is one run, with every default filled in.
type plan struct {
	root, out string
	version   string
	targets   []Target
	programs  []Program
	at        time.Time // of every file in the archives
	source    source    // of the programs
	nfpm      func() (binary string, err error)
	only      bool   // archives only
	work      string // temporary, on the file system of out
	stage     string // in work: becomes out

	mu  sync.Mutex // guards log
	log io.Writer
}

func newPlan(ctx context.Context, o Options) (_ *plan, err error) {
	p := &plan{out: o.Out, targets: o.Targets, log: o.Log, only: o.Archives}
	if p.root, err = filepath.Abs(o.Root); err != nil {
		return nil, err
	}
	if p.out == "" {
		p.out = filepath.Join(p.root, "release")
	}
	if p.out, err = filepath.Abs(p.out); err != nil {
		return nil, err
	}
	if err := mayReplace(p.out); err != nil {
		return nil, err
	}
	if len(p.targets) == 0 {
		p.targets = Targets()
	}
	if p.log == nil {
		p.log = io.Discard
	}
	if p.version, err = versionOf(p.root, o.Version); err != nil {
		return nil, err
	}
	all, err := Programs(p.root)
	if err != nil {
		return nil, err
	}
	if p.programs, err = choose(all, o.Programs); err != nil {
		return nil, err
	}
	if p.at, err = buildTime(ctx, p.root); err != nil {
		return nil, err
	}
	p.source = sourceOf(ctx, p.root)
	p.nfpm = sync.OnceValues(func() (string, error) { return p.buildNfpm(ctx) })
	if p.work, err = os.MkdirTemp(filepath.Dir(p.out), ".release-*"); err != nil {
		return nil, err
	}
	p.stage = filepath.Join(p.work, "release")
	if err := os.Mkdir(p.stage, 0o755); err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.work))
	}
	return p, nil
}

// mayReplace refuses a folder that holds something else than an earlier release: it is going to be removed.
func mayReplace(out string) error {
	files, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(files) > 0 && !isFile(filepath.Join(out, sumsFile)) {
		return fmt.Errorf("%s: holds something else than a release (no %s): choose another folder", out, sumsFile)
	}
	return nil
}

// versionOf checks a version that was asked for, or takes the changelog's.
func versionOf(root, asked string) (string, error) {
	if asked != "" {
		m := version.FindStringSubmatch(asked)
		if m == nil {
			return "", fmt.Errorf("version %q: want one such as 1.2.3 or v1.2.3-rc.1", asked)
		}
		return m[1], nil
	}
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	latest, err := Latest(string(changelog))
	return latest.Version, err
}

// zipEpoch is the earliest time that a zip can hold, in Unix seconds.
const zipEpoch = 315532800

// buildTime is the time that the files in the archives carry: SOURCE_DATE_EPOCH when it is set (reproducible-builds.org), else
// the commit's, else, in a tree without git, the earliest that both formats can hold.
func buildTime(ctx context.Context, root string) (time.Time, error) {
	text, set := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !set {
		cmd := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct")
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			return time.Unix(zipEpoch, 0).UTC(), ctx.Err()
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: want the seconds since 1970", text)
	}
	return time.Unix(max(seconds, zipEpoch), 0).UTC(), nil
}

// archives builds and packs every program for every target, several side by side: the compiler has phases that use one core
// only. The first failure ends the rest.
func (p *plan) archives(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, max(2, runtime.NumCPU()/2))
	)
	for _, program := range p.programs {
		for _, target := range p.targets {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if ctx.Err() != nil {
					return
				}
				if err := p.archive(ctx, program, target); err != nil {
					cancel(fmt.Errorf("%s for %s: %w", program.Name, target, err))
				}
			})
		}
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (p *plan) archive(ctx context.Context, program Program, target Target) error {
	name := target.archiveName(program.Name, p.version)
	binary := filepath.Join(p.work, name+".bin")
	if err := p.build(ctx, program, target, binary); err != nil {
		return err
	}
	files, err := program.files(p.root)
	if err != nil {
		return err
	}
	switch target.OS {
	case "windows":
		scripts, err := p.windowsScripts(program)
		if err != nil {
			return err
		}
		files = append(files, scripts...)
	case "linux":
		if p.only {
			break
		}
		if err := p.packages(ctx, program, target, binary); err != nil {
			return err
		}
	}
	files = append(files, entry{name: "bin/" + program.Name + target.exe(), path: binary, exec: true})
	if err := pack(filepath.Join(p.stage, name), program.Name, files, p.at); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err = fmt.Fprintln(p.log, name)
	return err
}

// stamped is the package that knows what a program was built from.
const stamped = "github.com/jkstack/jkframe/v2/internal/build"

// build compiles a program. Go itself stamps nothing of version control into it: two trees of one commit give the same bytes.
func (p *plan) build(ctx context.Context, program Program, target Target, out string) error {
	flags := fmt.Sprintf("-s -w -X main.version=%s -X %s.commit=%s -X %s.date=%s", p.version, stamped, p.source.commit, stamped, p.source.date)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+flags, "-o", out, ".")
	cmd.Dir = program.Dir
	cmd.Env = append(cmd.Environ(), target.env()...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, said)
	}
	return nil
}

// source is the commit that programs are built from. Both are empty in a tree without git.
type source struct{ commit, date string }

func sourceOf(ctx context.Context, root string) source {
	cmd := exec.CommandContext(ctx, "git", "log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H %cd")
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if err != nil {
		return source{}
	}
	commit, date, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return source{commit, date}
}

// papers puts the changelog and the agents' descriptors beside the archives. The descriptor of a project's only agent is
// manifest.yaml, as deployment tools expect it; those of several carry the agents' names, since a release is one flat folder.
func (p *plan) papers() error {
	all := map[string]string{"CHANGELOG.md": filepath.Join(p.root, "CHANGELOG.md")}
	var agents []Program
	for _, program := range p.programs {
		if _, ok := program.manifest(); ok {
			agents = append(agents, program)
		}
	}
	for _, agent := range agents {
		name := agent.Name + "_manifest.yaml"
		if len(agents) == 1 {
			name = "manifest.yaml"
		}
		all[name], _ = agent.manifest()
	}
	for name, from := range all {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(p.stage, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// sumsFile names the list of checksums, which every release has.
const sumsFile = "SHA256SUMS"

// writeSums lists the SHA-256 of every file of a folder as sha256sum --check reads it.
func writeSums(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var lines []string
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(data), f.Name()))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(strings.Join(lines, "")), 0o644)
}
