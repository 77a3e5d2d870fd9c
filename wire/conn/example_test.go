package conn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// A server that answers foo with bar, and an agent that asks it.
func Example() {
	var agents sync.WaitGroup
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err != nil {
			return // the agent has been told
		}
		// A goroutine of its own gives back what the request has used.
		agents.Go(func() {
			defer c.Close(conn.CodeNormal, "")
			answerFoo(c)
		})
	}))
	defer agents.Wait()
	defer srv.Close()

	ctx := context.Background()
	c, err := conn.Dialer{}.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http")+"/ws/agent")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(conn.CodeGoingAway, "agent stops")

	ask, err := wire.Foo.Request.Append(nil, "20261120-00001", &wire.Empty{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Send(ctx, conn.Control, ask); err != nil {
		fmt.Println(err)
		return
	}
	f, err := c.Receive()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Type == wire.Foo.Reply.Type(), f.Task)
	// Output: true 20261120-00001
}

// answerFoo answers each foo with a bar, until the connection ends.
func answerFoo(c *conn.Conn) {
	for {
		f, err := c.Receive()
		if err != nil {
			return // nothing comes any more; a server would go on after a *conn.FrameError
		}
		if f.Type != wire.Foo.Request.Type() {
			continue
		}
		answer, err := wire.Foo.Reply.Append(nil, f.Task, &wire.Empty{})
		if err != nil {
			return
		}
		if c.Send(context.Background(), conn.Control, answer) != nil {
			return
		}
	}
}
