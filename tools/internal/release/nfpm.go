package release

import (
	"bytes"
	"context"
	_ "embed" // the module of nfpm
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"time"

	"github.com/jkstack/jkframe/v2/internal/unit"
	"gopkg.in/yaml.v3"
)

// The module in which nfpm, which makes packages, is pinned. It is embedded, and not a module of the tree, so that whoever runs
// this from another project has it too; and a text, since a folder with a go.mod cannot be embedded.
var (
	//go:embed nfpm/go.mod.txt
	nfpmModule []byte
	//go:embed nfpm/go.sum.txt
	nfpmSums []byte
)

// formats are the kinds of packages that a program for Linux is packed in, besides its archive.
func formats() []string { return []string{"deb", "rpm"} }

// buildNfpm compiles nfpm for this machine.
func (p *plan) buildNfpm(ctx context.Context) (string, error) {
	dir := filepath.Join(p.work, "nfpm")
	binary := filepath.Join(dir, "nfpm.exe")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	for name, text := range map[string][]byte{"go.mod": nfpmModule, "go.sum": nfpmSums} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/goreleaser/nfpm/v2/cmd/nfpm")
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build nfpm: %w\n%s", err, said)
	}
	return binary, nil
}

// nfpmConfig is what nfpm is told of a package: see https://nfpm.goreleaser.com/docs/configuration.
type nfpmConfig struct {
	Name        string            `yaml:"name"`
	Arch        string            `yaml:"arch"`
	Platform    string            `yaml:"platform"`
	Version     string            `yaml:"version"`
	Maintainer  string            `yaml:"maintainer"`
	Description string            `yaml:"description"`
	Section     string            `yaml:"section"`
	Priority    string            `yaml:"priority"`
	License     string            `yaml:"license"`
	Overrides   map[string]nfpmOf `yaml:"overrides"`
	MTime       time.Time         `yaml:"mtime"`
	NoGlobs     bool              `yaml:"disable_globbing"`
	Contents    []nfpmContent     `yaml:"contents"`
	Scripts     map[string]string `yaml:"scripts"`
	RPM         map[string]string `yaml:"rpm"`
}

// nfpmOf is what holds for packages of one kind.
type nfpmOf struct {
	Depends []string `yaml:"depends"`
}

type nfpmContent struct {
	Src  string       `yaml:"src,omitempty"`
	Dst  string       `yaml:"dst"`
	Type string       `yaml:"type,omitempty"`
	For  string       `yaml:"packager,omitempty"` // deb or rpm; both if it is empty
	Info nfpmFileInfo `yaml:"file_info"`
}

type nfpmFileInfo struct {
	Mode  os.FileMode `yaml:"mode"`
	MTime time.Time   `yaml:"mtime"`
}

// packages packs a program for Linux as its distributions do. The binary is that of the archive.
func (p *plan) packages(ctx context.Context, program Program, target Target, binary string) error {
	nfpm, err := p.nfpm()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(p.work, "package-*")
	if err != nil {
		return err
	}
	config, err := p.describe(program, target, binary, dir)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "nfpm.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	for _, format := range formats() {
		cmd := exec.CommandContext(ctx, nfpm, "package", "--config", file, "--packager", format, "--target", p.stage)
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("nfpm %s: %w\n%s", format, err, said)
		}
	}
	return nil
}

// describe says what is in a package: the program's folder below /opt, and its service.
func (p *plan) describe(program Program, target Target, binary, dir string) (*nfpmConfig, error) {
	home := "/opt/" + program.Name
	files, err := program.files(p.root)
	if err != nil {
		return nil, err
	}
	what := "Server"
	_, agent := program.manifest()
	if agent {
		what = "Host agent"
	}
	c := &nfpmConfig{
		Name: program.Name, Arch: packageArch(target), Platform: "linux", Version: p.version, NoGlobs: true, MTime: p.at,
		Maintainer: "jkframe <noreply@example.invalid>", Section: "admin", Priority: "optional",
		Description: fmt.Sprintf("%s, made with jkframe\nIt runs as the service %s, with a user of its own, in %s.", what, program.Name, home),
		License:     licence(p.root),
		// The scripts make the account.
		Overrides: map[string]nfpmOf{"deb": {Depends: []string{"passwd"}}, "rpm": {Depends: []string{"/usr/sbin/useradd"}}},
		RPM:       map[string]string{"buildhost": "localhost", "group": "System Environment/Daemons", "summary": what + ", made with jkframe"},
	}
	add := func(src, dst string, mode os.FileMode) {
		c.Contents = append(c.Contents, nfpmContent{Src: src, Dst: dst, Info: nfpmFileInfo{mode, p.at}})
	}
	add(binary, home+"/bin/"+program.Name, 0o755)
	args := []string{"run"}
	var confs []string
	for _, f := range files {
		if !isConf(f.name) {
			add(f.path, home+"/"+f.name, 0o644)
			continue
		}
		// An agent writes its id into its config, and dpkg would stop and ask at each upgrade whose default is another one: the
		// file is no part of a deb, and its script makes it of the default. Rpm keeps a file that was changed, and asks nobody.
		args = []string{"run", "--conf", home + "/" + f.name}
		confs = append(confs, home+"/"+f.name)
		info := nfpmFileInfo{0o644, p.at}
		c.Contents = append(c.Contents,
			nfpmContent{Src: f.path, Dst: home + "/" + f.name, Type: "config|noreplace", For: "rpm", Info: info},
			nfpmContent{Src: f.path, Dst: home + "/share/" + path.Base(f.name), For: "deb", Info: info})
	}
	service := unit.Service{
		Name: program.Name, Description: program.Name, Executable: home + "/bin/" + program.Name, Args: args, Dir: home, User: program.Name,
		Reload: agent,
	}
	if err := service.Check(); err != nil {
		return nil, err
	}
	unitFile := filepath.Join(dir, program.Name+".service")
	if err := os.WriteFile(unitFile, []byte(unit.Systemd(service)), 0o600); err != nil {
		return nil, err
	}
	add(unitFile, "/usr/lib/systemd/system/"+program.Name+".service", 0o644)
	if file := filepath.Join(p.root, "LICENSE"); isFile(file) {
		c.Contents = append(c.Contents, nfpmContent{Src: file, Dst: "/usr/share/doc/" + program.Name + "/copyright", For: "deb", Info: nfpmFileInfo{0o644, p.at}})
	}
	c.Scripts, err = writeScripts(dir, program.Name, confs)
	return c, err
}

// licence returns what rpm calls the licence of the project.
func licence(root string) string {
	text, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	switch {
	case err != nil:
		return "unknown"
	case bytes.Contains(text, []byte("Apache License")) && bytes.Contains(text, []byte("Version 2.0")):
		return "Apache-2.0"
	case bytes.Contains(text, []byte("MIT License")):
		return "MIT"
	}
	return "see the file LICENSE"
}

// packageArch is how nfpm calls the architecture of a target.
func packageArch(t Target) string {
	if t.Arch == "arm" {
		return "arm6"
	}
	return t.Arch
}
