package outboxmodel_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// live lets a world go through the steps and come to rest. The error is the invariant that did not hold, with all that has
// happened.
func live(broken fault, steps []uint64) (w *world, err error) {
	w = newWorld(broken)
	defer func() {
		switch v := recover().(type) {
		case nil:
		case violation:
			var b strings.Builder
			for _, a := range w.trace {
				fmt.Fprintf(&b, "\n%s", a)
			}
			err = fmt.Errorf("%w%s", v, b.String())
		default:
			panic(v)
		}
	}()
	for _, s := range steps {
		w.step(s)
	}
	w.trace = append(w.trace, action{format: "all come to rest"})
	w.settle()
	return w, nil
}

// Whatever happens: what an agent has accepted is in the journal once, or is declared missing there, and no message is taken
// for another. More of it with -rapid.checks=100000.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{10, 50, 200, 600}).Draw(t, "steps at most")
		if _, err := live(none, rapid.SliceOfN(rapid.Uint64(), n/2, n).Draw(t, "steps")); err != nil {
			t.Fatal(err)
		}
	})
}

// The model notices when a rule is broken: each of them is needed.
func TestModelFindsFaults(t *testing.T) {
	for _, broken := range faults {
		t.Run(string(broken), func(t *testing.T) {
			const most = 200_000
			for seed := range uint64(most) {
				if _, err := live(broken, random(seed)); err != nil {
					t.Logf("run %d: %.120s", seed, err)
					return
				}
			}
			t.Errorf("%d runs found nothing", most)
		})
	}
}

// random returns steps for one run.
func random(seed uint64) []uint64 {
	r := rand.New(rand.NewPCG(seed, 1))
	steps := make([]uint64, 20+r.IntN(400))
	for i := range steps {
		steps[i] = r.Uint64()
	}
	return steps
}

// What the model shows holds for what happens in it: all of this does.
func TestModelReaches(t *testing.T) {
	missing := map[string]bool{
		"the server takes a message": true, "the server takes a gap": true, "a repeated message is ignored": true,
		"a stream goes to another connection": true, "a server of the old kind gets a message": true,
		"an agent sees that its folder is a copy": true, "an agent sees that the server was restored": true,
		"an agent gives what is left to a new run": true,
	}
	const most = 100_000
	for seed := range uint64(most) {
		w, err := live(none, random(seed))
		if err != nil {
			t.Fatal(err)
		}
		for event := range w.events {
			delete(missing, event)
		}
		if len(missing) == 0 {
			t.Logf("%d runs", seed+1)
			return
		}
	}
	t.Errorf("%d runs, and never: %v", most, missing)
}
