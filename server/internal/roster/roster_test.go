package roster_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/roster"
)

func open(t testing.TB, dir string) *roster.Roster {
	t.Helper()
	r, err := roster.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func never(roster.Agent) bool { return false }

func enrol(t testing.TB, r *roster.Roster, id string) roster.Agent {
	t.Helper()
	a := roster.Agent{ID: id, Type: "exec-agent", Enrolment: "e-" + fmt.Sprintf("%x", id), Serial: "1", NotAfter: time.Now().Add(time.Hour).UTC()}
	if err := r.Enrol(a, never); err != nil {
		t.Fatal(err)
	}
	return a
}

func admit(t testing.TB, r *roster.Roster, a roster.Agent, serial string, want error) {
	t.Helper()
	if err := r.Admit(a.ID, a.Enrolment, serial); !errors.Is(err, want) {
		t.Errorf("certificate %s of %q: %v, want %v", serial, a.ID, err, want)
	}
}

// Who is enrolled is known after a new start, whatever the id is.
func TestEnrolled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[agents")
	r := open(t, dir)
	ids := []string{"host-17", "../../etc/passwd", "a/b", "CON", "北京", strings.Repeat("x", 255)}
	for _, id := range ids {
		enrol(t, r, id)
	}
	if err := r.Enrol(roster.Agent{ID: "host-17", Enrolment: "other"}, never); err == nil {
		t.Error("enrolled twice")
	}
	r = open(t, dir)
	if all, err := roster.List(dir); err != nil || len(all) != len(ids) {
		t.Errorf("%d agents, want %d, %v", len(all), len(ids), err)
	}
	for _, id := range ids {
		if a, ok := r.Get(id); !ok || a.ID != id {
			t.Errorf("%q: %+v %v", id, a, ok)
		}
	}
}

// A renewed certificate counts from its first use on, and the one before until then; also over a new start.
func TestRenewal(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	a := enrol(t, r, "x")
	for i := 2; i < 6; i++ {
		old, next := fmt.Sprint(i-1), fmt.Sprint(i)
		if err := r.Renew(a.ID, a.Enrolment, next, "ca", time.Now()); err != nil {
			t.Fatal(err)
		}
		r = open(t, dir)
		admit(t, r, a, old, nil)
		admit(t, r, a, next, nil)
		admit(t, r, a, next, nil)
		r = open(t, dir)
		admit(t, r, a, old, roster.ErrSuperseded)
		admit(t, r, a, next, nil)
	}
	admit(t, r, a, "", roster.ErrSuperseded)
	admit(t, r, roster.Agent{ID: "x", Enrolment: "other"}, "5", roster.ErrSuperseded)
	admit(t, r, roster.Agent{ID: "nobody", Enrolment: "e"}, "1", roster.ErrUnknown)
}

// Both ends of a renewal may use their certificate at once: one of them is good, never none.
func TestRenewalAtOnce(t *testing.T) {
	r := open(t, t.TempDir())
	a := enrol(t, r, "x")
	if err := r.Renew(a.ID, a.Enrolment, "2", "ca", time.Now()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { admit(t, r, a, "2", nil) })
	}
	all.Wait()
	admit(t, r, a, "1", roster.ErrSuperseded)
}

// A revocation is noticed by who runs, is told once, and no renewal or new start undoes it.
func TestRevocation(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	a, b := enrol(t, r, "a"), enrol(t, r, "b")
	if _, err := roster.Revoke(dir, "nobody", "me"); err == nil {
		t.Error("an agent that is not there was revoked")
	}
	if _, err := roster.Revoke(dir, "a", "me"); err != nil {
		t.Fatal(err)
	}
	if _, err := roster.Revoke(dir, "a", "me"); err == nil {
		t.Error("revoked twice")
	}
	fresh, err := r.Refresh()
	if err != nil || len(fresh) != 1 || fresh[0].Agent != "a" || fresh[0].By != "me" {
		t.Errorf("%+v, %v", fresh, err)
	}
	if again, err := r.Refresh(); err != nil || len(again) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	for range 2 {
		admit(t, r, a, "1", roster.ErrRevoked)
		admit(t, r, b, "1", nil)
		if err := r.Renew(a.ID, a.Enrolment, "2", "ca", time.Now()); !errors.Is(err, roster.ErrRevoked) {
			t.Errorf("renewal: %v", err)
		}
		r = open(t, dir)
	}
	all, err := roster.List(dir)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for _, s := range all {
		if s.Revoked != (s.ID == "a") {
			t.Errorf("%+v", s)
		}
	}
	// A revocation that cannot be read is one all the same, and whose it is, the enrolment says.
	if err := os.WriteFile(filepath.Join(dir, "revoked", b.Enrolment+".json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if fresh, err := r.Refresh(); err != nil || len(fresh) != 1 || fresh[0].Agent != "b" {
		t.Errorf("%+v, %v", fresh, err)
	}
	back := a
	back.Enrolment = "new"
	if err := r.Enrol(back, func(roster.Agent) bool { return true }); err != nil {
		t.Fatal(err)
	}
	admit(t, r, back, "1", nil)
	admit(t, r, a, "1", roster.ErrRevoked)
}
