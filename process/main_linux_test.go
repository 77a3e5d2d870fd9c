package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// helperVariable makes the test's own binary do something else than testing.
const helperVariable = "PROCESS_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "orphan":
		os.Exit(runOrphan(os.Args[1]))
	case "login":
		os.Exit(pretendLogin())
	}
}

// pretendLogin does what sudo and su do as far as it can be seen from outside: it asks for a password, once more if that was
// wrong, and runs the command. It runs under a name of theirs.
func pretendLogin() int {
	sudo := strings.HasSuffix(os.Args[0], "sudo")
	args := os.Args[1:]
	prompt := "Password: "
	if sudo {
		prompt = args[2]
		args = args[6:] // -S -p prompt -u user --
	} else {
		args = append([]string{"/bin/sh", "-c", args[3]}, args[6:]...) // -s /bin/sh -c text -- user
		if out, err := stty("-echo"); err != nil {
			fmt.Println("su: must be run from a terminal:", out)
			return 1
		}
	}
	if os.Getenv("PROCESS_TEST_NOPASSWORD") == "" {
		fmt.Fprint(os.Stderr, prompt)
		line, _ := readLine()
		if line != "right secret" {
			if sudo {
				fmt.Fprint(os.Stderr, "Sorry, try again.\n", prompt)
				_, _ = readLine()
			}
			fmt.Fprintln(os.Stderr, "Authentication failure")
			return 1
		}
	}
	if !sudo {
		_, _ = stty("echo")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LOGNAME=other"}
	if err := cmd.Run(); err != nil {
		return cmd.ProcessState.ExitCode()
	}
	return 0
}

// readLine reads byte by byte, as sudo does: what follows is the command's.
func readLine() (string, error) {
	var line []byte
	b := make([]byte, 1)
	for {
		if _, err := os.Stdin.Read(b); err != nil || b[0] == '\n' {
			return string(line), err
		}
		line = append(line, b[0])
	}
}

func stty(mode string) (string, error) {
	cmd := exec.Command("stty", mode)
	cmd.Stdin = os.Stdin
	out, err := cmd.CombinedOutput()
	return string(out), err
}
