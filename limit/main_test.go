package limit_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// helperVariable makes the test's own binary run one of helpers instead of the tests.
const helperVariable = "LIMIT_TEST_HELPER"

func TestMain(m *testing.M) {
	if name := os.Getenv(helperVariable); name != "" {
		os.Exit(help(name, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}
