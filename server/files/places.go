package files

import (
	"context"
	"sync"

	"github.com/jkstack/jkframe/v2/server"
)

// places are what transfers take, one each. A quarter of them no single caller gets: one that sends as slowly as it may, or reads so,
// has its places for hours.
type places struct {
	most int

	mu    sync.Mutex     // guards the fields below
	taken int            // by all
	by    map[string]int // by callers, as far as they have any
}

func newPlaces(most int) *places { return &places{most: most, by: make(map[string]int)} }

// enter takes a place, which leave gives back. What the program does of its own accord may have all of them.
func (p *places) enter(ctx context.Context) (leave func(), err error) {
	caller, named := server.PrincipalOf(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.most || named && p.by[caller.Name] >= p.most-p.most/4 {
		return nil, ErrBusy
	}
	p.taken++
	p.by[caller.Name]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken--
		if p.by[caller.Name]--; p.by[caller.Name] == 0 {
			delete(p.by, caller.Name)
		}
	}), nil
}
