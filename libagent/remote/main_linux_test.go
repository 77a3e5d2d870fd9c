package remote_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// agentVariable makes the test's own binary an agent that a test can kill.
const agentVariable = "REMOTE_TEST_AGENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(agentVariable); dir != "" {
		os.Exit(runAgent(dir, os.Args[1]))
	}
	goleak.VerifyTestMain(m)
}
