package l2cache_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// An outbox: what is put is sent in order, and let go when the peer has confirmed it.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	q, err := l2cache.OpenQueue(l2cache.QueueConfig{Dir: dir, Size: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	for _, text := range []string{"one", "two", "three"} {
		if _, err := q.Put(ctx, []byte(text)); err != nil {
			log.Fatal(err)
		}
	}

	// Send, and do not wait for the confirmation of each.
	unsent := q.Reader(q.First())
	defer unsent.Close()
	for range 2 {
		r, err := unsent.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("send %d: %s\n", r.Seq, r.Data)
	}
	// The peer confirms the first. Then the connection breaks, and the rest is sent again.
	if err := q.Ack(1); err != nil {
		log.Fatal(err)
	}
	again := q.Reader(q.First())
	defer again.Close()
	for range 2 {
		r, err := again.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("send %d: %s\n", r.Seq, r.Data)
	}
	if err := q.Ack(3); err != nil {
		log.Fatal(err)
	}
	fmt.Println("waiting:", q.Stats().Records)
	// Output:
	// send 1: one
	// send 2: two
	// send 2: two
	// send 3: three
	// waiting: 0
}

// The output of a command: the first bytes of it are kept, for as many readers as there are, and the rest is counted.
func ExampleBuffer() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	spool, err := l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir, Size: 1 << 30})
	if err != nil {
		log.Fatal(err)
	}
	defer spool.Close()

	output, err := l2cache.NewBuffer(l2cache.BufferConfig{Spool: spool, Size: 16, Full: l2cache.FullDiscard})
	if err != nil {
		log.Fatal(err)
	}
	defer output.Close()
	go func() { // the command
		for i := range 5 {
			fmt.Fprintln(output, "line", i)
		}
		output.CloseWrite()
	}()
	text, err := io.ReadAll(output.Reader(0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q, and %d bytes more\n", text, output.Stats().Discarded)
	// Output: "line 0\nline 1\nli", and 19 bytes more
}

// A consumer that takes what is there, and acknowledges it when it is done.
func ExampleQueue_PeekBatch() {
	q, err := l2cache.OpenQueue(l2cache.QueueConfig{Volatile: true})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	ctx := context.Background()
	if _, err := q.PutBatch(ctx, [][]byte{[]byte("a"), []byte("b"), []byte("c")}); err != nil {
		log.Fatal(err)
	}
	var batch []l2cache.Record
	for range 2 {
		batch, err = q.PeekBatch(ctx, batch[:0], 2, 1<<20)
		if err != nil {
			log.Fatal(err)
		}
		for _, r := range batch {
			fmt.Printf("%d %s\n", r.Seq, r.Data)
		}
		if err := q.Ack(batch[len(batch)-1].Seq); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 1 a
	// 2 b
	// 3 c
}
