package lint_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jkstack/jkframe/v2/manifest/lint"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"manifest-lint": func() {
			os.Exit(lint.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}.Main(os.Args[1:]))
		},
	})
}

// The scripts run the command as a build or a person does.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true})
}
