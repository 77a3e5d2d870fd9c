package metrics_test

import (
	"io"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a server that runs.
type fixture struct{ *servertest.Server }

// start runs a server with features until the test ends.
func start(t testing.TB, cfg server.Config) fixture {
	t.Helper()
	return fixture{servertest.StartConfig(t, cfg)}
}

// do asks the API.
func (f fixture) do(t testing.TB, method, path, body string) (status int, answer string) {
	t.Helper()
	content, kind := io.Reader(nil), ""
	if body != "" {
		content, kind = strings.NewReader(body), "application/json"
	}
	resp, text := f.Do(t, f.Request(t, method, path, kind, content))
	return resp.StatusCode, strings.TrimSuffix(text, "\n")
}

// connect connects an agent of the field. Answer is called for each frame that comes, one after the other.
func (f fixture) connect(t testing.TB, id, kind, system string, answer func(servertest.Ask)) *servertest.Agent {
	t.Helper()
	return f.ConnectAs(t, wire.ComePayload{ID: id, Name: kind, OS: system}, answer)
}

// silent answers nothing.
func silent(servertest.Ask) {}

func mustContain(t testing.TB, text string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(text, s) {
			t.Errorf("no %q in\n%s", s, text)
		}
	}
}
