package release

import (
	_ "embed" // the scripts of packages
	"os"
	"path"
	"path/filepath"
	"strings"
)

// The scripts that dpkg and rpm run when a package comes and goes, and those that make a service of an unpacked zip.
var (
	//go:embed scripts/preinstall.sh
	preinstall string
	//go:embed scripts/postinstall.sh
	postinstall string
	//go:embed scripts/preremove.sh
	preremove string
	//go:embed scripts/postremove.sh
	postremove string
	//go:embed scripts/install.cmd
	windowsInstall string
	//go:embed scripts/uninstall.cmd
	windowsUninstall string
)

// isConf tells whether a file of an archive is one that operators change.
func isConf(name string) bool { return path.Dir(name) == "conf" && path.Ext(name) == ".conf" }

// writeScripts writes the scripts of a program's packages into a folder, and returns how nfpm calls each. The config files are
// where they are installed.
func writeScripts(dir, program string, confs []string) (map[string]string, error) {
	files := make(map[string]string)
	replace := strings.NewReplacer("@name@", program, "@confs@", strings.Join(confs, " "))
	for name, text := range map[string]string{
		"preinstall": preinstall, "postinstall": postinstall, "preremove": preremove, "postremove": postremove,
	} {
		files[name] = filepath.Join(dir, name)
		if err := os.WriteFile(files[name], []byte(replace.Replace(text)), 0o600); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// windowsScripts writes what makes a service of a program on Windows, and returns it as members of its archive.
func (p *plan) windowsScripts(program Program) ([]entry, error) {
	folders := "logs data" // a server's
	if _, agent := program.manifest(); agent {
		folders = "logs run"
	}
	conf := ""
	files, err := program.files(p.root)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if isConf(f.name) {
			conf = path.Base(f.name)
		}
	}
	dir, err := os.MkdirTemp(p.work, "scripts-*")
	if err != nil {
		return nil, err
	}
	var all []entry
	for name, text := range map[string]string{"install.cmd": windowsInstall, "uninstall.cmd": windowsUninstall} {
		text = strings.NewReplacer("@name@", program.Name, "@conf@", conf, "@folders@", folders, "\n", "\r\n").Replace(text)
		e := entry{name: name, path: filepath.Join(dir, name)}
		if err := os.WriteFile(e.path, []byte(text), 0o600); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}
