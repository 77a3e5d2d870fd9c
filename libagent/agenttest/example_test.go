package agenttest_test

import (
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/libagent/agenttest"
)

// A test of an agent, in fake time: a request, and what it does when its server is killed.
func Example() {
	testShout := func(t *testing.T) { // TestShout in a file of its own
		synctest.Test(t, func(t *testing.T) {
			srv := agenttest.NewServer(t, nil)
			srv.Start(app{}, nil)
			s := srv.Accept()
			if r, err := agenttest.Call(s, shout, note{"hello"}); err != nil || r.Text != "HELLO" {
				t.Errorf("shouted %q, %v", r.Text, err)
			}
			s.Drop()
			srv.Accept()
		})
	}
	_ = testShout
}
