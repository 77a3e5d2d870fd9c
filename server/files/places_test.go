package files_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/files"
)

// One caller keeps no other one out, however long his transfers take.
func TestPlacesOfOneCaller(t *testing.T) {
	as := func(name string) context.Context {
		return server.WithPrincipal(t.Context(), server.Principal{Name: name})
	}
	for _, tt := range []struct{ all, one int }{{1, 1}, {3, 3}, {4, 3}, {256, 192}} {
		enter := files.Places(tt.all)
		take := func(ctx context.Context, want int) (leave []func()) {
			t.Helper()
			var err error
			for err == nil && len(leave) <= want {
				var l func()
				if l, err = enter(ctx); err == nil {
					leave = append(leave, l)
				}
			}
			if len(leave) != want || !errors.Is(err, files.ErrBusy) {
				t.Errorf("%d places: %d taken, want %d, then %v", tt.all, len(leave), want, err)
			}
			return leave
		}
		slow := take(as("slow"), tt.one)
		other := take(as("other"), tt.all-tt.one)
		take(t.Context(), 0)
		for _, leave := range append(slow, other...) {
			leave()
			leave() // a second time it is nothing
		}
		take(t.Context(), tt.all) // the program itself
	}
}
