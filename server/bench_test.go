package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// fetch asks an address over and over.
func fetch(b *testing.B, client *http.Client, url, token string) {
	b.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
		b.Errorf("%s, %v", resp.Status, err)
	}
}

// BenchmarkFoo is a request through the API to an agent and back; BenchmarkBareHTTP, the limit, is an answer of net/http
// alone.
func BenchmarkFoo(b *testing.B) {
	f := start(b, server.Config{})
	serve(f.agent(b, "x", "example-agent"), bar)
	atCallers(b, "http://"+f.APIAddr().String()+"/api/foo/x", f.token)
}

func BenchmarkBareHTTP(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, `{"code":0}`+"\n")
	})}
	served := make(chan error)
	go func() { served <- web.Serve(ln) }()
	atCallers(b, "http://"+ln.Addr().String()+"/api/foo/x", "")
	web.Close()
	<-served
}

func atCallers(b *testing.B, url, token string) {
	for _, callers := range []int{1, 50} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			if callers == 1 {
				for b.Loop() {
					fetch(b, client, url, token)
				}
				return
			}
			b.SetParallelism(callers / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					fetch(b, client, url, token)
				}
			})
		})
	}
}

// BenchmarkCall is a request to an agent and back, without the API.
func BenchmarkCall(b *testing.B) {
	f := start(b, server.Config{})
	serve(f.agent(b, "x", "example-agent"), bar)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := server.Call(b.Context(), f, "x", wire.Foo, wire.Empty{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandshake is an agent that comes and goes.
func BenchmarkHandshake(b *testing.B) {
	f := start(b, server.Config{ConnectLimit: -1})
	var n atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := upgrade(b, f)
			writeFrame(b, c, 1, comeFrame(fmt.Sprintf(`"x-%d"`, n.Add(1))))
			readFrame(b, c)
			c.Close()
		}
	})
}

// BenchmarkReceive is a stream of small messages from one agent.
func BenchmarkReceive(b *testing.B) {
	f := start(b, server.Config{})
	var got atomic.Int64
	total := make(chan int64, 1)
	done := make(chan struct{})
	want := int64(-1)
	server.Receive(f.Server, note, func(context.Context, server.Agent, notePayload) error {
		n := got.Add(1)
		if want < 0 {
			select {
			case want = <-total:
			default:
			}
		}
		if n == want {
			close(done)
		}
		return nil
	})
	c := f.connect(b, conn.Options{NoCompression: true})
	if h := shake(b, c, come("x", "any-agent")); !h.OK {
		b.Fatal(h.Msg)
	}
	frame, err := note.Append(nil, "", &notePayload{Text: string(make([]byte, 0, 200)) + fmt.Sprintf("%0160d", 1)})
	if err != nil {
		b.Fatal(err)
	}
	batch := make([][]byte, 100)
	for i := range batch {
		batch[i] = frame
	}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	b.ResetTimer()
	sent := 0
	for sent < b.N {
		n := min(len(batch), b.N-sent)
		if err := c.Send(b.Context(), conn.Bulk, batch[:n]...); err != nil {
			b.Fatal(err)
		}
		sent += n
	}
	total <- int64(sent)
	if got.Load() < int64(sent) {
		<-done
	}
}
