package e2e_test

import "testing"

// freeze does nothing: Windows has no such signal.
func freeze(t *testing.T, _ *program) { t.Log("SKIP: no program can be frozen on Windows") }
