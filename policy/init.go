package policy

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

//go:embed begin.conf
var begin string

// Begin is the text of a policy to begin with: a few commands that only look, no shell, no other user, folders that can only be read.
func Begin() string {
	if runtime.GOOS == "windows" {
		return strings.NewReplacer(
			"uptime,df,free,uname,hostname,date,id", "hostname,whoami,systeminfo", "/var/log", `C:\Windows\Logs`, "LANG,LC_*,TZ", "",
		).Replace(begin)
	}
	return begin
}

// Init writes a policy to begin with, with mode 0600. A file that is there stays, which is an error. What root writes in a folder of
// another user, that user's group may read: the agent runs as that user, and shall not change it.
func Init(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and stays as it is", file)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(Begin())
	return errors.Join(err, letRead(f), f.Sync(), f.Close())
}
