//go:build unix

package kvconf_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

func TestWriteFileKeepsModeAndOwner(t *testing.T) {
	name := filepath.Join(t.TempDir(), "agent.conf")
	if err := kvconf.WriteFile(name, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
		t.Errorf("a new file has the mode %v, %v", info.Mode(), err)
	}
	const owner, group = 12345, 54321
	asRoot := os.Getuid() == 0
	if asRoot {
		if err := os.Chown(name, owner, group); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o666, 0o777, 0o604, 0o600 | fs.ModeSetgid} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := kvconf.WriteFile(name, []byte(mode.String())); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(name)
		if err != nil || after.Mode() != before.Mode() || os.SameFile(before, after) {
			t.Errorf("mode %v became %v, %v", before.Mode(), after.Mode(), err)
		}
		if s := after.Sys().(*syscall.Stat_t); asRoot && (s.Uid != owner || s.Gid != group) {
			t.Errorf("the owner is now %d:%d", s.Uid, s.Gid)
		}
		contains(t, name, mode.String())
	}
}

func TestWriteFileThroughLinks(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	target := filepath.Join(other, "real.conf")
	write(t, target, "old")
	link, linkToLink := filepath.Join(dir, "agent.conf"), filepath.Join(dir, "second.conf")
	for from, to := range map[string]string{link: target, linkToLink: "agent.conf"} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if err := kvconf.WriteFile(linkToLink, []byte("new")); err != nil {
		t.Fatal(err)
	}
	contains(t, target, "new")
	for _, name := range []string{link, linkToLink} {
		if info, err := os.Lstat(name); err != nil || info.Mode().Type() != fs.ModeSymlink {
			t.Errorf("the link is now %v, %v", info.Mode(), err)
		}
		contains(t, name, "new")
	}
	dangling := filepath.Join(dir, "dangling.conf")
	if err := os.Symlink(filepath.Join(other, "nobody"), dangling); err != nil {
		t.Fatal(err)
	}
	if err := kvconf.WriteFile(dangling, nil); err == nil || !strings.Contains(err.Error(), "which does not exist") {
		t.Errorf("a link to nothing: %v", err)
	}
}

// A pipe is not opened, since that would wait for a reader.
func TestWriteFileRefusesPipes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := kvconf.WriteFile(name, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

// childEnv names the job of a test binary that a test has started.
const childEnv = "KVCONF_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		child(job)
		return
	}
	os.Exit(m.Run())
}

// child is what the test binary does when a test has started it again.
func child(job string) {
	name := os.Args[1]
	switch job {
	case "rewrite": // until it is killed
		for i := 0; ; i++ {
			if err := kvconf.WriteFile(name, content(i)); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			if i == 0 {
				fmt.Println("started")
			}
		}
	case "limit": // files may have no more than 1000 bytes
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 1000, Max: 1000}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if err := kvconf.WriteFile(name, content(1)); !errors.Is(err, syscall.EFBIG) {
			fmt.Println("not the expected error:", err)
			os.Exit(1)
		}
	}
}

// content is a file whose every line has the same number.
func content(i int) []byte {
	return []byte(strings.Repeat(fmt.Sprintf("key = %d\n", i), 10_000))
}

func start(t *testing.T, job, name string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, name)
	cmd.Env = append(os.Environ(), childEnv+"="+job)
	return cmd
}

// A process that is killed while it writes leaves a whole file.
func TestWriteFileIsAtomic(t *testing.T) {
	name := filepath.Join(t.TempDir(), "agent.conf")
	for range 20 {
		cmd := start(t, "rewrite", name)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		timer := time.NewTimer(rand.N(20 * time.Millisecond))
		for killed := false; !killed; {
			select {
			case <-timer.C:
				killed = true
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Wait(); err == nil {
					t.Fatal("the child ended by itself")
				}
			default:
			}
			got, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(got), "\n")
			if want := strings.Repeat(first+"\n", 10_000); string(got) != want {
				t.Fatalf("the file is not whole: %d bytes, first line %q", len(got), first)
			}
		}
	}
}

// When the new file cannot be written to its end, the old one is as it was.
func TestWriteFileThatFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "agent.conf")
	write(t, name, "old")
	if out, err := start(t, "limit", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	contains(t, name, "old")
}
