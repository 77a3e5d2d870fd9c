package doctest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/features"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// provoke makes every counter of the server count.
func provoke(t *testing.T, r *running) {
	t.Helper()
	failing := wire.Define[wire.Empty](30000, "failing", "")
	server.Receive(r.Server, failing, func(context.Context, server.Agent, wire.Empty) error { return errors.New("no") })

	if res, err := http.Get("http://" + r.AgentAddr().String() + "/ws/agent"); err == nil { // no WebSocket
		res.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	if _, err := server.Call(t.Context(), r.Server, "nobody", wire.Foo, wire.Empty{}); !errors.Is(err, server.ErrNotFound) {
		t.Fatal(err)
	}
	dial := func() *conn.Conn {
		c, err := conn.Dialer{}.Dial(t.Context(), "ws://"+r.AgentAddr().String()+"/ws/agent")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(conn.CodeNormal, "") })
		return c
	}
	gone := dial()
	if err := gone.Send(t.Context(), conn.Bulk, []byte(`{"type":1,"come":{"id":"gone","name":"example-agent","version":"1.0.0"}}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Receive(); err != nil {
		t.Fatal(err)
	}
	gone.Close(conn.CodeNormal, "")
	c := dial()
	for _, frame := range []string{
		`{"type":1,"come":{"id":"host-17","name":"example-agent","version":"1.0.0"}}`,
		`{"type":55}`, `{"type":7}`, `{"type":30000}`, `{"type":7,"ai":{"v":"1.0.0","gv":"go1"}}`,
	} {
		if err := c.Send(t.Context(), conn.Bulk, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
}

// The page lists every metric of the project with its labels, and every tag of a report, and no others.
func TestMetrics(t *testing.T) {
	r := start(t, features.All()...)
	documented, tags := make(map[string]string), []string(nil)
	for _, table := range doccheck.Tables(read(t, docs+"/operating-the-server.md")) {
		for _, row := range table.Rows {
			switch table.Head[0] {
			case "metric":
				documented[strings.Trim(row[0], "`")] = strings.ReplaceAll(row[1], "`", "")
			case "tag":
				tags = append(tags, strings.Split(strings.ReplaceAll(row[0], "`", ""), ", ")...)
			}
		}
	}
	if len(documented) < 10 || len(tags) < 10 {
		t.Fatalf("only %d metrics and %d tags found", len(documented), len(tags))
	}
	slices.Sort(tags)

	provoke(t, r)
	eventually(t, "the report is there, which was sent last", func() error {
		body, err := r.get(t, "/metrics")
		if err != nil {
			return err
		}
		actual, actualTags := scrape(body)
		_, asked := actual["agent_server_api_requests_total"]
		if _, ended := actual["agent_server_sessions_ended_total"]; !asked || !ended || len(actualTags) == 0 {
			return fmt.Errorf("metrics: %v", actual)
		}
		if !maps.Equal(actual, documented) {
			t.Errorf("metrics %v, documented %v", actual, documented)
		}
		if !slices.Equal(actualTags, tags) {
			t.Errorf("tags %q, documented %q", actualTags, tags)
		}
		return nil
	})
}

// scrape returns the labels of each metric of the project, joined by commas, and the tags of agent_info, sorted.
func scrape(body string) (metrics map[string]string, tags []string) {
	metrics = make(map[string]string)
	line := regexp.MustCompile(`(?m)^(agent_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$`)
	label := regexp.MustCompile(`(\w+)="([^"]*)"`)
	for _, m := range line.FindAllStringSubmatch(body, -1) {
		name := m[1]
		if strings.HasPrefix(m[0], "agent_count ") {
			name = "agent_count"
		}
		var names []string
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				names = append(names, l[1])
			}
			if l[1] == "tag" {
				tags = append(tags, l[2])
			}
		}
		metrics[name] = strings.Join(names, ", ")
	}
	slices.Sort(tags)
	return metrics, tags
}
