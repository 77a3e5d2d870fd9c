package process_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// helperVariable makes the test's own binary do something else than testing: programs of Windows that do it differ from host to host.
const helperVariable = "PROCESS_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "arguments":
		fmt.Print(strings.Join(os.Args[1:], "|"))
	case "exit":
		n, _ := strconv.ParseUint(os.Args[1], 10, 32)
		os.Exit(int(n))
	case "input":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "much":
		line := strings.Repeat("x", 999) + "\n"
		for range 1000 {
			fmt.Print(line)
		}
		fmt.Fprint(os.Stderr, "end")
	case "sleep":
		time.Sleep(time.Hour)
	case "family", "daemon":
		// A child of the child has the output, too.
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), helperVariable+"=sleep")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(child.Process.Pid)
		if os.Getenv(helperVariable) == "family" {
			time.Sleep(time.Hour)
		}
	}
}
