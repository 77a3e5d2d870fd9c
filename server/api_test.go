package server_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

func TestFoo(t *testing.T) {
	f := start(t, server.Config{ID: "srv"})
	serve(f.agent(t, "example-01", "example-agent"), bar)
	f.get(t, "/api/info/server", 200, `{"code":0,"payload":{"id":"srv","version":"0.0.0","agents":1,"is_blocking":false}}`)
	f.get(t, "/api/foo/example-01", 200, `{"code":0}`)
	f.get(t, "/api/agents/nope", 404, `{"code":404,"msg":"not found: agent"}`)
}
