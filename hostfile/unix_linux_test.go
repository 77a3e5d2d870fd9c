package hostfile_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/hostfile"
)

// A pipe would hold a reader for ever and a device has no end: they are refused with words.
func TestWhatIsNoFile(t *testing.T) {
	a, in, _ := house(t)
	a.Read = append(a.Read, "/dev")
	a.Write = append(a.Write, "/dev")
	must(t, syscall.Mkfifo(in+"/pipe", 0o600))
	must(t, os.Mkdir(in+"/dir", 0o700))
	t.Chdir(in) // the path of a socket is short
	l, err := net.Listen("unix", "socket")
	must(t, err)
	defer l.Close()
	for path, word := range map[string]string{in + "/pipe": "a pipe", in + "/dir": "a folder", in + "/socket": "a socket", "/dev/null": "a device", "/dev/zero": "a device"} {
		if _, err := read(a, path); !errors.Is(err, hostfile.ErrNotFile) || !strings.Contains(err.Error(), word) {
			t.Errorf("read %s: %v", path, err)
		}
		if err := write(a, hostfile.Target{Dir: filepath.Dir(path), Name: filepath.Base(path)}, "x"); !errors.Is(err, hostfile.ErrNotFile) || !strings.Contains(err.Error(), word) {
			t.Errorf("write %s: %v", path, err)
		}
	}
	put(t, in+"/f", "")
	if err := write(a, hostfile.Target{Dir: in + "/f", Name: "x"}, "x"); !errors.Is(err, hostfile.ErrNotFolder) {
		t.Errorf("a file as a folder: %v", err)
	}
}

// Modes and owners are what was asked for, and else what they were.
func TestModesAndOwners(t *testing.T) {
	a, in, _ := house(t)
	mode := func() os.FileMode {
		info, err := os.Stat(in + "/f")
		must(t, err)
		return info.Mode()
	}
	old := syscall.Umask(0o077) // must not matter
	defer syscall.Umask(old)
	must(t, write(a, hostfile.Target{Dir: in, Name: "f"}, "x"))
	if mode() != 0o644 {
		t.Errorf("mode %v of a new file", mode())
	}
	must(t, write(a, hostfile.Target{Dir: in, Name: "f", Mode: 0o777}, "x"))
	must(t, write(a, hostfile.Target{Dir: in, Name: "f"}, "x"))
	if mode() != 0o777 {
		t.Errorf("mode %v of a file that had 0777", mode())
	}
	a.SetID = true
	must(t, write(a, hostfile.Target{Dir: in, Name: "f", Mode: 0o755 | os.ModeSetuid}, "x"))
	if mode() != 0o755|os.ModeSetuid {
		t.Errorf("mode %v, want setuid", mode())
	}
	if os.Geteuid() != 0 {
		t.Skip("SKIP: owners take root")
	}
	owner := func() uint32 {
		info, err := os.Stat(in + "/f")
		must(t, err)
		return info.Sys().(*syscall.Stat_t).Uid
	}
	must(t, write(a, hostfile.Target{Dir: in, Name: "f", Owner: "nobody", Group: "65534", Mode: 0o755 | os.ModeSetuid}, "x"))
	if owner() != 65534 || mode() != 0o755|os.ModeSetuid {
		t.Errorf("owner %d, mode %v", owner(), mode())
	}
	must(t, write(a, hostfile.Target{Dir: in, Name: "f"}, "y"))
	if owner() != 65534 {
		t.Errorf("owner %d: it was another one's", owner())
	}
	list, err := a.List(in)
	if err != nil || len(list) != 1 || list[0].User != "nobody" || list[0].Group != "nogroup" {
		t.Errorf("%+v, %v", list, err)
	}
}

// Somebody on the host exchanges a folder for a link out of it, again and again, while it is written and read: nothing outside is
// ever touched.
func TestSymlinkRace(t *testing.T) {
	a, in, out := house(t)
	must(t, os.Mkdir(in+"/real", 0o755))
	put(t, in+"/real/secret", "public")
	must(t, os.Symlink(out, in+"/link"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(in+"/real", in+"/x")
			_ = os.Rename(in+"/link", in+"/real")
			_ = os.Rename(in+"/real", in+"/link")
			_ = os.Rename(in+"/x", in+"/real")
		}
	})
	written := 0
	for range 300 {
		if text, err := read(a, in+"/real/secret"); err == nil && text != "public" {
			t.Fatalf("read %q", text)
		}
		w, err := a.Create(hostfile.Target{Dir: in + "/real", Name: "f", Size: 1})
		if err != nil {
			continue
		}
		_, _ = io.WriteString(w, "x")
		if w.Commit() == nil {
			written++
		}
	}
	close(stop)
	wg.Wait()
	only(t, out, "secret")
	if written == 0 {
		t.Error("nothing was written")
	}
}

// A file that was removed while it was read is not told from one that was replaced: neither is whole.
func TestReadOfWhatVanishes(t *testing.T) {
	a, in, _ := house(t)
	put(t, in+"/f", "abc")
	r, err := a.Open(in + "/f")
	must(t, err)
	defer r.Close()
	must(t, os.Remove(in+"/f"))
	if _, err := io.ReadAll(r); !errors.Is(err, hostfile.ErrChanged) {
		t.Errorf("error %v, want ErrChanged", err)
	}
	if _, err := read(&hostfile.Access{Read: []string{"/proc"}}, "/proc/uptime"); !errors.Is(err, hostfile.ErrChanged) {
		t.Errorf("/proc/uptime: %v, want ErrChanged", err)
	}
}

// A full disk is told as such, and the old file is there.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: a disk of its own takes root")
	}
	a, in, _ := house(t)
	if err := syscall.Mount("tmpfs", in, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("SKIP: ", err)
	}
	defer func() { must(t, syscall.Unmount(in, 0)) }()
	put(t, in+"/f", "old")
	if err := write(a, hostfile.Target{Dir: in, Name: "f"}, strings.Repeat("x", 1<<20)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want ENOSPC", err)
	}
	if got := get(t, in+"/f"); got != "old" {
		t.Errorf("%q", got)
	}
	only(t, in, "f")
}
