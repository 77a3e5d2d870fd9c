package tokens_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/tokens"
)

func open(t testing.TB, dir string) *tokens.Store {
	t.Helper()
	s, err := tokens.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t testing.TB, dir string, tok tokens.Token) string {
	t.Helper()
	text, err := tokens.Create(dir, &tok)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The text of a token is nowhere on the disk, and only its holder is let in.
func TestAPI(t *testing.T) {
	dir := t.TempDir()
	s, now := open(t, dir), time.Now()
	text := create(t, dir, tokens.Token{Kind: tokens.API, Name: "me", Role: "read", Expires: now.Add(time.Hour)})
	tok, err := s.API(text, now)
	if err != nil || tok.Name != "me" || tok.Role != "read" {
		t.Fatalf("%+v, %v", tok, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil || strings.Contains(string(b), text[17:]) {
			t.Errorf("%s holds the secret, %v", f.Name(), err)
		}
	}
	for _, bad := range []string{
		"", "jka", text[1:], text + "0", text[:len(text)-1] + "x", "jke" + text[3:], strings.ToUpper(text),
		"jka_" + strings.Repeat("0", 12) + text[16:], "jka_../../../etc" + text[16:], text[:17] + strings.Repeat("0", 64),
	} {
		if tok, err := s.API(bad, now); !errors.Is(err, tokens.ErrUnknown) || tok != nil {
			t.Errorf("%q: %+v, %v", bad, tok, err)
		}
	}
	if _, err := s.API(text, now.Add(time.Hour)); !errors.Is(err, tokens.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := tokens.Revoke(dir, "me"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.API(text, now.Add(2*time.Second)); !errors.Is(err, tokens.ErrRevoked) {
		t.Errorf("revoked: %v", err)
	}
	if _, err := tokens.Revoke(dir, "me"); err == nil {
		t.Error("revoked twice")
	}
}

// Fifty at once get the three uses that there are, also when the server starts anew in between.
func TestSpend(t *testing.T) {
	dir := t.TempDir()
	text := create(t, dir, tokens.Token{Kind: tokens.Enrol, AgentType: "exec-agent", Uses: 3})
	var won atomic.Int32
	for range 2 {
		s := open(t, dir)
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				_, _, err := s.Spend(text, "exec-agent", tokens.Use{At: time.Now(), Agent: fmt.Sprint(i), Key: fmt.Sprint(won.Load(), i)})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, tokens.ErrSpent) {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	if won.Load() != 3 {
		t.Errorf("%d uses of 3", won.Load())
	}
	all, err := tokens.List(dir)
	if err != nil || len(all) != 1 || len(all[0].Used) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
}

// The same key asks again at no cost, and a use that a crash has cut is none.
func TestSpendAgain(t *testing.T) {
	dir := t.TempDir()
	text := create(t, dir, tokens.Token{Kind: tokens.Enrol, AgentType: "exec-agent", Uses: 2})
	for i, agent := range []string{"a", "b", "c"} {
		_, u, err := open(t, dir).Spend(text, "exec-agent", tokens.Use{At: time.Now(), Agent: agent, Enrolment: agent, Key: "k"})
		if err != nil || u.Agent != "a" || u.Enrolment != "a" {
			t.Errorf("asked %d times: %+v, %v", i+1, u, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.uses"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":"2026`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s := open(t, dir)
	for i, want := range []error{nil, tokens.ErrSpent} {
		_, _, err := s.Spend(text, "exec-agent", tokens.Use{At: time.Now(), Agent: "c", Key: fmt.Sprint(i)})
		if !errors.Is(err, want) {
			t.Errorf("use %d: %v, want %v", i, err, want)
		}
	}
	if all, err := tokens.List(dir); err != nil || len(all[0].Used) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, _, err := s.Spend(text, "metrics-agent", tokens.Use{At: time.Now(), Key: "x"}); !errors.Is(err, tokens.ErrScope) {
		t.Errorf("another type: %v", err)
	}
}

func FuzzAPI(f *testing.F) {
	dir := f.TempDir()
	s, err := tokens.Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	good := create(f, dir, tokens.Token{Kind: tokens.API, Name: "me", Role: "read"})
	for _, seed := range []string{good, "jka_", "jka_0123456789ab_" + strings.Repeat("f", 64), "jka_/../../../../_" + strings.Repeat("f", 64)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := s.API(text, time.Now()); (err == nil) != (text == good) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// What has long been worth nothing does not fill the disk, and nothing else is removed.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	s, now := open(t, dir), time.Now()
	spend := func(tok tokens.Token) {
		text := create(t, dir, tok)
		if _, _, err := s.Spend(text, "x", tokens.Use{At: now, Agent: "a", Key: tok.Name}); err != nil {
			t.Fatal(err)
		}
	}
	enrol := tokens.Token{Kind: tokens.Enrol, AgentType: "x", Uses: 1}
	enrol.Name = "used up"
	spend(enrol)
	enrol.Name, enrol.Uses = "half used", 2
	spend(enrol)
	create(t, dir, tokens.Token{Kind: tokens.Enrol, AgentType: "x", Uses: 1, Name: "expires", Expires: now.Add(time.Hour)})
	create(t, dir, tokens.Token{Kind: tokens.API, Name: "expires later", Expires: now.Add(48 * time.Hour)})
	kept := create(t, dir, tokens.Token{Kind: tokens.API, Name: "for ever"})
	create(t, dir, tokens.Token{Kind: tokens.API, Name: "revoked"})
	if _, err := tokens.Revoke(dir, "revoked"); err != nil {
		t.Fatal(err)
	}
	const days = 24 * time.Hour
	for _, step := range []struct {
		after time.Duration
		want  []string // names of what goes
	}{
		{29 * days, nil},
		{30*days + 2*time.Hour, []string{"expires", "revoked", "used up"}},
		{33 * days, []string{"expires later"}},
		{3000 * days, nil},
	} {
		gone, err := s.Tidy(now.Add(step.after))
		var names []string
		for _, g := range gone {
			names = append(names, g.Name)
		}
		slices.Sort(names)
		if err != nil || !slices.Equal(names, step.want) {
			t.Errorf("after %v went %q, %v, want %q", step.after, names, err, step.want)
		}
	}
	if _, err := s.API(kept, now); err != nil {
		t.Error(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 { // two tokens, and the uses of one
		t.Errorf("left %v, %v", files, err)
	}
}

// Who removes the file of a token has ended it.
func TestRemovedByHand(t *testing.T) {
	dir := t.TempDir()
	s, now := open(t, dir), time.Now()
	text := create(t, dir, tokens.Token{Kind: tokens.API, Name: "me"})
	if _, err := s.API(text, now); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, text[4:16]+".json")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if tok, err := s.API(text, now.Add(2*time.Second)); !errors.Is(err, tokens.ErrUnknown) || tok != nil {
			t.Errorf("%+v, %v", tok, err)
		}
	}
}

// A file that cannot be read stands in the way of no other token, and can be revoked itself.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	s, now := open(t, dir), time.Now()
	text := create(t, dir, tokens.Token{Kind: tokens.API, Name: "known"})
	if _, err := s.API(text, now); err != nil {
		t.Fatal(err)
	}
	create(t, dir, tokens.Token{Kind: tokens.API, Name: "good"})
	create(t, dir, tokens.Token{Kind: tokens.API, Name: "expired", Expires: now.Add(-60 * 24 * time.Hour)})
	id := text[4:16]
	file := filepath.Join(dir, id+".json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	named := func(err error) bool { return err != nil && strings.Contains(err.Error(), file) }
	if all, err := tokens.List(dir); len(all) != 2 || !named(err) {
		t.Errorf("%+v, %v", all, err)
	}
	if gone, err := s.Tidy(now); len(gone) != 1 || !named(err) {
		t.Errorf("tidied %+v, %v", gone, err)
	}
	if tok, err := tokens.Revoke(dir, "good"); tok.Name != "good" || !named(err) {
		t.Errorf("%+v, %v", tok, err)
	}
	for _, none := range []string{"known", "good", "0123456789ab", "../" + id} {
		if tok, err := tokens.Revoke(dir, none); tok.ID != "" || !named(err) {
			t.Errorf("%s: %+v, %v", none, tok, err)
		}
	}
	if tok, err := tokens.Revoke(dir, id); tok.ID != id || !named(err) {
		t.Errorf("%+v, %v", tok, err)
	}
	if _, err := s.API(text, now.Add(2*time.Second)); !errors.Is(err, tokens.ErrRevoked) {
		t.Errorf("revoked: %v", err)
	}
}
