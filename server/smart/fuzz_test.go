package smart_test

import (
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server/smart"
)

func TestCondition(t *testing.T) {
	variables := map[string]string{"IDX": "10", "NAME": "web", "EMPTY": ""}
	for text, want := range map[string]bool{
		"$IDX = 10": true, "$IDX=10": true, "$IDX > 9": true, "$IDX < 9": false, "$IDX >= 10": true, "$IDX <= 9": false, "$IDX != 010": false,
		"$NAME = web": true, "$NAME != db": true, "$NAME > 9": true, "b > a": true, "$EMPTY =": true, "$EMPTY != x": true, "-2 < -1": true,
	} {
		if got, err := smart.Holds(text, variables); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, words := range map[string]string{
		"": "no comparison", "$IDX": "no comparison", "$IDX ! 1": "no comparison", "1 < 2 < 3": "more than one", "$OTHER = 1": "no variable",
	} {
		if _, err := smart.Holds(text, variables); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A condition and its opposite never hold both.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{"1 < 2", "$A = x", "a != b", "9223372036854775808 >= 1", "<=", "$A =="} {
		f.Add(seed, "x")
	}
	opposite := map[string]string{"<=": ">", ">=": "<", "!=": "=", "<": ">=", ">": "<=", "=": "!="}
	f.Fuzz(func(t *testing.T, text, value string) {
		variables := map[string]string{"A": value}
		got, err := smart.Holds(text, variables)
		if err != nil {
			return
		}
		for _, op := range []string{"<=", ">=", "!=", "<", ">", "="} {
			left, right, ok := strings.Cut(text, op)
			if !ok {
				continue
			}
			other, err := smart.Holds(left+opposite[op]+right, variables)
			if err != nil || other == got {
				t.Errorf("%q with A = %q: %v, and its opposite %v, %v", text, value, got, other, err)
			}
			return
		}
		t.Errorf("%q is taken for a comparison", text)
	})
}

// Whatever main.yaml holds, it is read or refused, and what is read has something to do.
func FuzzScript(f *testing.F) {
	f.Add([]byte(twoTasks))
	f.Add([]byte("tasks: [{plugin: exec, cmd: x, if: $IDX = 1, output: Y}]"))
	f.Add([]byte(`{"tasks":[{"plugin":"file","action":"pull","src":"/a","dst":"/b"}]}`))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("tasks: [{<<: {plugin: exec}, cmd: x}]\n---\nmore"))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := smart.CheckScript(text)
		if (err == nil) != (n > 0) {
			t.Errorf("%d tasks, %v", n, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "main.yaml: ") {
			t.Errorf("error without the name of the file: %v", err)
		}
	})
}
