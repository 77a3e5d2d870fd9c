package lint_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// readYAML reads a file at the root of the project.
func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, "../../"+name)), into); err != nil {
		t.Fatal(err)
	}
}

// A workflow that names the action in three lines gets the tool of its version, and the findings at the lines of its pull request.
func TestAction(t *testing.T) {
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct {
			Using string
			Steps []struct {
				Shell string
				Env   map[string]string
				Run   string
			}
		}
	}
	readYAML(t, "action.yml", &action)
	if action.Runs.Using != "composite" || len(action.Runs.Steps) != 2 {
		t.Fatalf("got %+v", action)
	}
	step := action.Runs.Steps[1]
	if strings.Contains(step.Run, "${{") {
		t.Error("what a workflow gives as input becomes a part of the script")
	}
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("SKIP: the script of the action: there is no bash")
	}
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "a manifest.yaml"), []byte("- { key: a, type: int, name: { zh: N }, desc: { zh: D } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	input := regexp.MustCompile(`\$\{\{ inputs\.([a-z-]+) \}\}`)
	// One build serves all runs.
	temp := t.TempDir()
	for _, tt := range []struct {
		inputs map[string]string
		want   string
		fails  bool
	}{
		{map[string]string{"files": "a manifest.yaml\n"}, "::warning file=a manifest.yaml,line=1,col=5,endLine=1,endColumn=8,title=ML111 required-missing::", false},
		{map[string]string{"files": "a manifest.yaml", "fail-on": "warning", "sarif": "out.sarif", "args": "-severity\nML111=error"}, "::error file=a manifest.yaml", true},
		{map[string]string{"files": "$(touch x)"}, "", true},
		{nil, "", true}, // there is no conf/manifest.yaml
	} {
		cmd := exec.CommandContext(t.Context(), shell, "-e", "-c", step.Run)
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "RUNNER_TEMP="+temp)
		for name, value := range step.Env {
			m := input.FindStringSubmatch(value)
			switch {
			case value == "${{ github.action_path }}":
				value = source
			case m == nil:
				t.Fatalf("%s: %s", name, value)
			default:
				value = action.Inputs[m[1]].Default
				if given, ok := tt.inputs[m[1]]; ok {
					value = given
				}
			}
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		out, err := cmd.CombinedOutput()
		if (err != nil) != tt.fails || !strings.Contains(string(out), tt.want) {
			t.Errorf("%v: %v\n%s", tt.inputs, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(work, "out.sarif")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(work, "x")); err == nil {
		t.Error("the name of a file was run as a command")
	}
}

// pre-commit runs the tool for manifests, and for nothing else.
func TestPreCommitHooks(t *testing.T) {
	var hooks []struct{ ID, Entry, Language, Files string }
	readYAML(t, ".pre-commit-hooks.yaml", &hooks)
	if len(hooks) != 2 {
		t.Fatalf("got %+v", hooks)
	}
	for _, h := range hooks {
		files := regexp.MustCompile(h.Files)
		for name, want := range map[string]bool{
			"conf/manifest.yaml": true, "examples/a/conf/manifest.yml": true, "manifest.yaml": false, "conf/manifest.yaml.orig": false, "xconf/manifest.yaml": false,
		} {
			if files.MatchString(name) != want {
				t.Errorf("%s: %s: got %t", h.ID, name, !want)
			}
		}
		if h.Language != "golang" || !strings.HasPrefix(h.Entry, "manifest-lint") {
			t.Errorf("got %+v", h)
		}
		code, _, errs := run("- { key: a }\n", append(strings.Fields(h.Entry)[1:], "-")...)
		if code != 1 {
			t.Errorf("%s: exit code %d, %s", h.ID, code, errs)
		}
	}
}
