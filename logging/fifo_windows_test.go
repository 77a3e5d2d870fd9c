package logging_test

import "testing"

func mkfifo(t *testing.T, _ string) {
	t.Skip("there are no FIFOs among files")
}
