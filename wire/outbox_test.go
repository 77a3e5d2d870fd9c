package wire_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
)

// A message that comes out of a journal is byte for byte the one that went into the outbox.
func TestPlace(t *testing.T) {
	frame := []byte(`{"type":30000,"text":{"s":"x"}}`)
	for _, want := range []wire.Place{{}, {1, 2, 3}, {math.MaxUint64, math.MaxUint64, math.MinInt64}, {7, 1, math.MaxInt64}} {
		placed := want.Append([]byte("before"), frame)[len("before"):]
		if len(placed) > len(frame)+wire.MaxPlace {
			t.Errorf("the place %+v takes %d bytes, more than MaxPlace", want, len(placed)-len(frame))
		}
		f, err := wire.Parse(placed)
		if err != nil {
			t.Fatalf("%s: %v", placed, err)
		}
		if got, ok := f.Place(); !ok || got != want {
			t.Errorf("%s: place %+v, %v", placed, got, ok)
		}
		if got := f.AppendUnplaced(nil); string(got) != string(frame) {
			t.Errorf("%s: without its place %s", placed, got)
		}
	}
}

// What only looks like a place is a member that nobody knows.
func TestNoPlace(t *testing.T) {
	for _, text := range []string{
		`{"type":30000}`, `{"type":30000,"out":[1,2,3]}`, `{ "out":[1,2,3],"type":30000}`, `{"out":[1,2],"type":30000}`,
		`{"out":[1,2,3,4],"type":30000}`, `{"out":[1, 2,3],"type":30000}`, `{"out":[01,2,3],"type":30000}`,
		`{"out":[1,2,03],"type":30000}`, `{"out":[1,2,-],"type":30000}`, `{"out":[-1,2,3],"type":30000}`, `{"out":null,"type":30000}`,
		`{"out":[18446744073709551616,2,3],"type":30000}`,
	} {
		f, err := wire.Parse([]byte(text))
		if err != nil {
			if text != `{"out":[1,2,-],"type":30000}` && text != `{"out":[01,2,3],"type":30000}` && text != `{"out":[1,2,03],"type":30000}` {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if p, ok := f.Place(); ok {
			t.Errorf("%s has the place %+v", text, p)
		}
		if got := f.AppendUnplaced(nil); string(got) != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

// The sum is what the page of the protocol says, so that a stranger's server has the same.
func TestSum(t *testing.T) {
	frame := []byte(`{"type":30000}`)
	h := sha256.Sum256(fmt.Appendf(nil, "1763632189000000000 %s", frame))
	if got, want := wire.Sum(1763632189000000000, frame), hex.EncodeToString(h[:8]); got != want {
		t.Errorf("sum %s, want %s", got, want)
	}
}

// Whoever declares a message learns at once that its traits contradict each other.
func TestTraits(t *testing.T) {
	m := wire.Define[wire.Empty](30000, "m", "", wire.Newest, wire.Urgent)
	if !m.Has(wire.Newest) || !m.Has(wire.Urgent) || m.Has(wire.Connected) || m.Has(99) {
		t.Error("a message has other traits than it was declared with")
	}
	for _, traits := range [][]wire.Trait{{wire.Newest, wire.Connected}, {0}, {99}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("traits %v were taken", traits)
				}
			}()
			wire.Define[wire.Empty](30000, "m", "", traits...)
		}()
	}
}

func FuzzPlace(f *testing.F) {
	f.Add([]byte(`{"out":[1,2,3],"type":30000,"text":{"s":"x"}}`))
	f.Add([]byte(`{"out":[1,2,-3],"type":1}`))
	f.Add([]byte(`{"type":30000}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := wire.Parse(data)
		if err != nil {
			return
		}
		p, ok := frame.Place()
		if !ok {
			return
		}
		rest := frame.AppendUnplaced(nil)
		if again := p.Append(nil, rest); string(again) != string(data) {
			t.Errorf("%s became %s", data, again)
		}
		if _, err := wire.Parse(rest); err != nil {
			t.Errorf("%s without its place is %s: %v", data, rest, err)
		}
	})
}
