package unit

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Service is a program that a service manager runs.
type Service struct {
	Name        string   // of the service: letters, digits, and . _ - @ behind the first
	Description string   // one line
	Executable  string   // absolute path
	Args        []string // of the executable
	Dir         string   // working directory, absolute
	User        string   // an account of the system
	Reload      bool     // SIGHUP has it read its config again
}

// openFiles is how many files a service may have open at once.
const openFiles = "65536"

// Check returns what no service manager would take, or would take for something else.
func (s Service) Check() error {
	var errs []error
	if err := CheckName(s.Name); err != nil {
		errs = append(errs, err)
	}
	if !isName(s.User) {
		errs = append(errs, fmt.Errorf("user %q is no name of an account", s.User))
	}
	for _, p := range []string{s.Executable, s.Dir} {
		if !path.IsAbs(p) {
			errs = append(errs, fmt.Errorf("%q is no absolute path", p))
		}
	}
	for _, text := range append([]string{s.Description, s.Executable, s.Dir}, s.Args...) {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			errs = append(errs, fmt.Errorf("%q holds a control character", text))
		}
	}
	return errors.Join(errs...)
}

// CheckName returns what is wrong with the name of a service.
func CheckName(name string) error {
	if !isName(name) {
		return fmt.Errorf("service name %q: want letters, digits, and . _ - @ behind the first", name)
	}
	return nil
}

func isName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
		if !letter && (i == 0 || r != '.' && r != '-' && r != '@') {
			return false
		}
	}
	return s != ""
}

// Systemd returns the unit of a service for systemd.
func Systemd(s Service) string {
	words := make([]string, 0, len(s.Args)+1)
	for _, w := range append([]string{s.Executable}, s.Args...) {
		words = append(words, systemdWord(w))
	}
	reload := ""
	if s.Reload {
		reload = "ExecReload=/bin/kill -HUP $MAINPID\n"
	}
	return fmt.Sprintf(`[Unit]
Description=%s
# Not network-online.target: that may take minutes to give up, and who has no server yet tries again.
After=network.target
# It comes back however often it ends.
StartLimitIntervalSec=0

[Service]
ExecStart=%s
%sWorkingDirectory=%s
User=%s
Restart=always
RestartSec=2
# Its children end after it has, so that it can tell what became of them.
KillMode=mixed
TimeoutStopSec=20
LimitNOFILE=%s
# It limits itself and its children in control groups of its own; a child without memory does not take it along.
Delegate=yes
OOMPolicy=continue

[Install]
WantedBy=multi-user.target
`, percent(s.Description), strings.Join(words, " "), reload, percent(s.Dir), s.User, openFiles)
}

// percent keeps systemd from replacing anything.
func percent(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// systemdWord writes one word of a command line for systemd.
func systemdWord(s string) string {
	s = strings.NewReplacer("%", "%%", "$", "$$", `\`, `\\`, `"`, `\"`).Replace(s)
	if s == "" || strings.ContainsAny(s, " '\"\\;") {
		return `"` + s + `"`
	}
	return s
}

// shellWord writes one word for a shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}
