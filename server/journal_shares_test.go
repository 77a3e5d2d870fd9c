package server_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// However many agents flood the journal, they get the same, and there is something left for the next.
func TestShares(t *testing.T) {
	const size, message = 1 << 20, 1 << 10
	for _, floods := range []int64{1, 2, 10} {
		s := server.NewShares(size, 0, 0)
		got := make(map[string]int64)
		for goOn := true; goOn; {
			goOn = false
			for i := range floods {
				id := fmt.Sprint("flood-", i)
				if s.Put(id, message) {
					got[id] += message
					goOn = true
				}
			}
		}
		for id, n := range got {
			if want := 3 * size / (1 + 3*floods); n > want+message || n < want-2*message {
				t.Errorf("%s, one of %d, has %d bytes, want %d", id, floods, n, want)
			}
			if s.Resumes(id) {
				t.Errorf("%s goes on at once", id)
			}
		}
		if !s.Resumes("new") || !s.Put("new", message) {
			t.Errorf("beside %d floods, a new agent gets nothing", floods)
		}
		s.Release(s.Last())
		if !s.Resumes("flood-0") || s.Free() != size {
			t.Errorf("%d of %d bytes are free when all is taken", s.Free(), size)
		}
	}
}

// What was in the journal at the start is nobody's, and makes room as it is taken.
func TestSharesBefore(t *testing.T) {
	s := server.NewShares(1000, 900, 90)
	for _, step := range []struct {
		passed uint64
		free   int64
	}{{0, 100}, {30, 400}, {30, 400}, {89, 990}, {90, 1000}, {91, 1000}} {
		s.Release(step.passed)
		if got := s.Free(); got != step.free {
			t.Errorf("after %d records %d bytes are free, want %d", step.passed, got, step.free)
		}
	}
}

// Whatever comes and goes, nothing is counted twice or forgotten.
func TestSharesAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const size = 1 << 16
	s := server.NewShares(size, 1<<14, 100)
	passed := uint64(0)
	for range 20_000 {
		if r.IntN(50) == 0 {
			passed += r.Uint64N(s.Last() - passed + 1)
			s.Release(passed)
		} else {
			s.Put(fmt.Sprint(r.IntN(20)), 16+r.Int64N(500))
		}
		if free := s.Free(); free < 0 || free > size {
			t.Fatalf("%d bytes are free of %d", free, size)
		}
	}
	if s.Release(s.Last()); s.Free() != size {
		t.Errorf("%d bytes are free of %d when all is taken", s.Free(), size)
	}
}
