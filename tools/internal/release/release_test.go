package release_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/tools/internal/release"
)

// project copies the project of testdata to a folder of the test's own, where a release may be made.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/project")); err != nil {
		t.Fatal(err)
	}
	// A workspace around the test would not know the copy.
	t.Setenv("GOWORK", "off")
	return dir
}

// run packs, and returns the files of the release by name.
func run(t *testing.T, o release.Options) map[string][]byte {
	t.Helper()
	if err := release.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return read(t, filepath.Join(o.Root, "release"))
}

func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(filepath.Join(dir, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func names[T any](m map[string]T) []string {
	var all []string
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// member is one file of an archive.
type member struct {
	mode fs.FileMode
	at   time.Time
	data []byte
}

func unpack(t *testing.T, name string, archive []byte) map[string]member {
	t.Helper()
	all := make(map[string]member)
	if strings.HasSuffix(name, ".zip") {
		r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.File {
			all[f.Name] = member{f.Mode(), f.Modified, readAll(t, f.Open)}
		}
		return all
	}
	gz, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(gz)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all[h.Name] = member{h.FileInfo().Mode(), h.ModTime, readAll(t, func() (io.ReadCloser, error) { return io.NopCloser(r), nil })}
	}
}

func readAll(t *testing.T, open func() (io.ReadCloser, error)) []byte {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var two = []release.Target{{OS: "linux", Arch: "amd64"}, {OS: "windows", Arch: "amd64"}}

// An operator unpacks an archive and runs what is in it: names, modes, times and bytes are as documented.
func TestArchives(t *testing.T) {
	root := project(t)
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	files := run(t, release.Options{Root: root, Targets: two})
	equal(t, "release", names(files), []string{
		"CHANGELOG.md", "SHA256SUMS",
		"hello-1.2.0~rc.1-1.x86_64.rpm", "hello_1.2.0-rc.1_linux_amd64.tar.gz", "hello_1.2.0-rc.1_windows_amd64.zip", "hello_1.2.0~rc.1_amd64.deb",
		"manifest.yaml",
		"serve-1.2.0~rc.1-1.x86_64.rpm", "serve_1.2.0-rc.1_linux_amd64.tar.gz", "serve_1.2.0-rc.1_windows_amd64.zip", "serve_1.2.0~rc.1_amd64.deb",
	})
	for name, want := range map[string][]string{
		"hello_1.2.0-rc.1_linux_amd64.tar.gz": {
			"hello/CHANGELOG.md", "hello/LICENSE", "hello/README.md",
			"hello/bin/hello", "hello/conf/hello.conf", "hello/conf/manifest.yaml",
		},
		"hello_1.2.0-rc.1_windows_amd64.zip": {
			"hello/CHANGELOG.md", "hello/LICENSE", "hello/README.md",
			"hello/bin/hello.exe", "hello/conf/hello.conf", "hello/conf/manifest.yaml", "hello/install.cmd", "hello/uninstall.cmd",
		},
		"serve_1.2.0-rc.1_windows_amd64.zip": {
			"serve/CHANGELOG.md", "serve/LICENSE", "serve/bin/serve.exe", "serve/conf/serve.conf", "serve/install.cmd", "serve/uninstall.cmd",
		},
	} {
		members := unpack(t, name, files[name])
		equal(t, name, names(members), want)
		for file, m := range members {
			mode := fs.FileMode(0o644)
			if strings.Contains(file, "/bin/") {
				mode = 0o755
			}
			if m.mode != mode || m.at.Unix() != 1700000000 {
				t.Errorf("%s: %s: mode %v, time %v", name, file, m.mode, m.at)
			}
		}
	}
	hello := unpack(t, ".tar.gz", files["hello_1.2.0-rc.1_linux_amd64.tar.gz"])
	if got := string(hello["hello/conf/hello.conf"].data); got != "greeting = hello\n" {
		t.Errorf("config in the archive: %q", got)
	}
	if got := string(files["manifest.yaml"]); got != "- key: greeting\n" {
		t.Errorf("manifest of the release: %q", got)
	}
	script := string(unpack(t, ".zip", files["hello_1.2.0-rc.1_windows_amd64.zip"])["hello/install.cmd"].data)
	if !strings.Contains(script, "bin\\hello.exe install --conf \"%~dp0conf\\hello.conf\" || exit /b 1\r\n") || strings.Contains(script, "@") && !strings.HasPrefix(script, "@echo off\r\n") {
		t.Errorf("script for Windows:\n%s", script)
	}
	checkSums(t, files)
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		checkVersion(t, hello["hello/bin/hello"].data, "1.2.0-rc.1")
	}
}

// checkSums holds the list of checksums against every other file of the release.
func checkSums(t *testing.T, files map[string][]byte) {
	t.Helper()
	var want strings.Builder
	for _, name := range names(files) {
		if name != "SHA256SUMS" {
			fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(files[name]), name)
		}
	}
	if got := string(files["SHA256SUMS"]); got != want.String() {
		t.Errorf("SHA256SUMS:\n%s\nwant:\n%s", got, want.String())
	}
}

func checkVersion(t *testing.T, binary []byte, want string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), file).CombinedOutput()
	if err != nil || strings.TrimSpace(string(said)) != want {
		t.Errorf("the packed binary says %q (%v), want %q", said, err, want)
	}
}

// Whoever rebuilds a release gets the same bytes, wherever his tree stands and whatever his environment says.
func TestReproducible(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	first := run(t, release.Options{Root: project(t), Targets: two})
	t.Setenv("GOFLAGS", "-tags=other")
	t.Setenv("GOAMD64", "v3")
	second := project(t)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(second, "LICENSE"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(second, "agents/hello/conf/hello.conf"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := run(t, release.Options{Root: second, Targets: two})
	equal(t, "files of the second run", names(again), names(first))
	for name, data := range first {
		if !bytes.Equal(data, again[name]) {
			t.Errorf("%s differs between two runs", name)
		}
	}
}

// A tree that came without git and without SOURCE_DATE_EPOCH can be packed, with a time that both formats can hold.
func TestNoTime(t *testing.T) {
	if v, ok := os.LookupEnv("SOURCE_DATE_EPOCH"); ok {
		t.Setenv("SOURCE_DATE_EPOCH", v) // puts it back in the end
		if err := os.Unsetenv("SOURCE_DATE_EPOCH"); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	files := run(t, release.Options{Root: project(t), Targets: two, Programs: "hello", Archives: true})
	for _, name := range []string{"hello_1.2.0-rc.1_linux_amd64.tar.gz", "hello_1.2.0-rc.1_windows_amd64.zip"} {
		if m := unpack(t, name, files[name])["hello/LICENSE"]; m.at.Year() != 1980 {
			t.Errorf("%s: LICENSE is of %v", name, m.at)
		}
	}
}

// A release that fails says why, and leaves the one before as it was; nothing else stays behind.
func TestFailureKeepsTheOldRelease(t *testing.T) {
	root := project(t)
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	o := release.Options{Root: root, Targets: two[:1], Programs: "hello", Archives: true}
	before := run(t, o)
	if err := os.WriteFile(filepath.Join(root, "agents/hello/broken.go"), []byte("package main\n\nvar x int = \"\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := release.Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "hello for linux/amd64") || !strings.Contains(err.Error(), "broken.go:3") {
		t.Errorf("error: %v", err)
	}
	after := read(t, filepath.Join(root, "release"))
	equal(t, "files after the failure", names(after), names(before))
	left, err := filepath.Glob(filepath.Join(root, ".release-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// The folder of the release is removed first: one that holds anything else is refused.
func TestRefusesOtherFolders(t *testing.T) {
	root := project(t)
	for _, out := range []string{root, filepath.Join(root, "agents")} {
		if err := release.Run(t.Context(), release.Options{Root: root, Out: out, Targets: two[:1]}); err == nil {
			t.Errorf("%s: was replaced", out)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "agents/hello/main.go")); err != nil {
		t.Error(err)
	}
}

// Several agents in a project have their manifests side by side; versions may be asked for.
func TestTwoAgents(t *testing.T) {
	root := project(t)
	if err := os.WriteFile(filepath.Join(root, "serve/conf/manifest.yaml"), []byte("- key: listen\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	files := run(t, release.Options{Root: root, Targets: two[:1], Version: "v3.0.0", Archives: true})
	equal(t, "release", names(files), []string{
		"CHANGELOG.md", "SHA256SUMS", "hello_3.0.0_linux_amd64.tar.gz", "hello_manifest.yaml",
		"serve_3.0.0_linux_amd64.tar.gz", "serve_manifest.yaml",
	})
}

// The targets are those that every agent is released for.
func TestTargets(t *testing.T) {
	got, err := release.ParseTargets("")
	if err != nil {
		t.Fatal(err)
	}
	want := "[linux/386 linux/amd64 linux/arm linux/arm64 windows/386 windows/amd64 windows/arm64]"
	if fmt.Sprint(got) != want {
		t.Errorf("targets: %v, want %s", got, want)
	}
	for _, list := range []string{"linux", "linux/amd64,", "darwin/amd64", "linux/arm,linux/arm"} {
		if got, err := release.ParseTargets(list); err == nil {
			t.Errorf("%q: %v, want an error", list, got)
		}
	}
}

// A wrong command is told so, and its exit code tells a script.
func TestCommand(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		out  string // in the output or, when the code is not 0, in the errors
	}{
		{"-help", 0, ""},
		{"-notes v1.2.0-rc.1", 0, "### hello\n- Says hello.\n"},
		{"-notes 1.1.0", 0, "- Said nothing.\n"},
		{"-notes v9.9.9", 1, `"9.9.9"`},
		{"-targets plan9/amd64", 2, "plan9/amd64"},
		{"-version latest", 1, `"latest"`},
		{"-programs ghost", 1, `"ghost"`},
		{"-nonsense", 2, "nonsense"},
		{"surplus", 2, "surplus"},
	} {
		var stdout, stderr strings.Builder
		args := append([]string{"-root", "testdata/project", "-out", filepath.Join(t.TempDir(), "out")}, strings.Fields(c.args)...)
		code := release.Command{Stdout: &stdout, Stderr: &stderr}.Main(t.Context(), args)
		said := stdout.String()
		if c.code != 0 {
			said = stderr.String()
		}
		if code != c.code || !strings.Contains(said, c.out) {
			t.Errorf("release %s: code %d, said %q", c.args, code, said)
		}
	}
}
