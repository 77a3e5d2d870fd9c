package server_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// An operator who is root gives commands beside a server that is not: what they leave is the server's, or it could neither take a
// token, nor close the connection of an agent that was revoked, nor start again after a CA was made.
func TestCommandsOfRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root")
	}
	const service = 65534
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	conf := filepath.Join(dir, "server.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "data_dir = %s\n", data), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(conf, service, service); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"ca show", "token create --api --role read --name grafana", "token create --type exec-agent", "token revoke grafana", "ca rotate",
	} {
		if code, _, stderr := command(t.Context(), append(strings.Fields(args), "--conf", conf)...); code != server.ExitOK {
			t.Fatalf("%s: code %d: %s", args, code, stderr)
		}
	}
	files := 0
	err := filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != service || st.Gid != service {
			t.Errorf("%s belongs to %d:%d, and the server runs as %d", path, st.Uid, st.Gid, service)
		}
		files++
		return nil
	})
	if err != nil || files < 10 {
		t.Errorf("%d files, %v", files, err)
	}
}

// Where everybody may write, everybody could put a token of his own.
func TestFolderOfEverybody(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := server.New(server.Config{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "data_dir: everybody may write to "+dir+" (mode 0777)") {
		t.Errorf("error %v", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("%v, %v", names, err)
	}
}
