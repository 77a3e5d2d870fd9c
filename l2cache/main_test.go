package l2cache_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if run, ok := children[os.Getenv(childVariable)]; ok {
		run()
		return
	}
	goleak.VerifyTestMain(m)
}
