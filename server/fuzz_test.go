package server_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// seeds are frames that agents of the field have sent.
func seeds(f *testing.F) {
	files, err := filepath.Glob("testdata/wire/*.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Size() > 50_000 {
			continue
		}
		r := readRecording(f, file)
		for _, n := range r.order {
			for _, frame := range append(r.sent[n], r.got[n]...) {
				f.Add([]byte(frame))
			}
		}
	}
	f.Add([]byte(comeFrame(`""`)))
	f.Add([]byte(`{"type":0,"errmsg":"x"}`))
	f.Add([]byte(`{"type":30010,"note":{"text":"x"}}`))
	f.Add([]byte("\xff"))
}

// Whatever comes first is answered: with an id that is good, or with a reason.
func FuzzFirstMessage(f *testing.F) {
	seeds(f)
	fx := start(f, server.Config{ConnectLimit: -1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > 60<<10 || !utf8.Valid(frame) {
			return // ends the connection before the handshake
		}
		c, err := fx.tryConnect(conn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(conn.CodeNormal, "")
		if err := c.Send(context.Background(), conn.Bulk, frame); err != nil {
			t.Fatal(err)
		}
		h := handshakeOf(t, c)
		if !h.OK {
			if h.Msg == "" || h.ID != "" {
				t.Errorf("refusal %+v", h)
			}
			if bye := closed(t, c); bye.Code != conn.CodePolicy {
				t.Errorf("closed with %v", bye)
			}
			return
		}
		if err := wire.CheckID(h.ID); err != nil {
			t.Error(err)
		}
		if a, err := fx.Get(context.Background(), h.ID); err != nil || a.ID != h.ID {
			t.Errorf("Get(%q) = %+v, %v", h.ID, a, err)
		}
	})
}

// Whatever an agent sends, its next answer is heard, unless what it sent is no text: then it is told so.
func FuzzMessage(f *testing.F) {
	seeds(f)
	fx := start(f, server.Config{ConnectLimit: -1})
	server.Receive(fx.Server, note, func(context.Context, server.Agent, notePayload) error { return nil })
	f.Fuzz(func(t *testing.T, frame []byte) {
		c, err := fx.tryConnect(conn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(conn.CodeNormal, "")
		if h := shake(t, c, come("", "any-agent")); !h.OK {
			t.Fatal(h.Msg)
		}
		if err := c.Send(context.Background(), conn.Bulk, frame); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(frame) {
			if bye := closed(t, c); bye.Code != conn.CodeBadData {
				t.Errorf("closed with %v", bye)
			}
			return
		}
		flush(t, fx, c)
	})
}
