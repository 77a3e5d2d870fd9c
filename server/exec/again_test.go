package exec_test

import (
	"net/http"
	"testing"

	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
)

// After a reconnect an agent of ours sends some output again, since it cannot know what has come: nothing is there twice, nothing is
// missing, and the end is the end when everything before it is there.
func TestOutputThatComesAgain(t *testing.T) {
	s, _ := start(t, exec.Config{})
	s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, func(a servertest.Ask) {
		if a.Type != wire.Exec.Type() {
			return
		}
		data := func(offset uint64, text string) {
			servertest.Send(t, a.Agent, wire.ExecData, a.Task, wire.ExecDataPayload{Data: []byte(text), Offset: &offset})
		}
		begun := wire.ExecdPayload{OK: true, PID: 7, Time: begin}
		done := wire.ExecDonePayload{Code: 5, Time: end, Size: 12}
		servertest.Send(t, a.Agent, wire.Execd, a.Task, begun)
		data(0, "one\n")
		data(8, "end\n") // what was before it is lost
		servertest.Send(t, a.Agent, wire.ExecDone, a.Task, done)
		servertest.Send(t, a.Agent, wire.Execd, a.Task, begun)
		data(0, "one\ntwo\n")
		data(4, "two\n")
		data(8, "end\n")
		servertest.Send(t, a.Agent, wire.ExecDone, a.Task, done)
	})
	resp, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"x"}`)
	servertest.Want(t, resp, body, http.StatusOK)
	if r := servertest.Payload[run](t, body).Result; r == nil || string(r.Data) != "one\ntwo\nend\n" || r.Code != 5 {
		t.Errorf("%s", body)
	}
}
