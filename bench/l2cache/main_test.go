package l2cache_test

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		child(os.Args[2:])
		return
	}
	code := m.Run()
	results.print(os.Stdout)
	os.Exit(code)
}
